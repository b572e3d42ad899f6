import { Duration } from 'aws-cdk-lib';
import type { CfnRoute } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpApi, HttpMethod, HttpNoneAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { CfnOutput } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchRoute } from '../../local/http-api/routes.ts';
import { inlineFunction, start, synthesise, type Parsed, type RunningHost } from './support/harness.ts';

let host: RunningHost;

const ECHO = `
exports.handler = async (event) => {
  switch (event.queryStringParameters?.do) {
    case 'plain': return { hello: 'world' };
    case 'fail': throw new Error('no');
    case 'odd': return { statusCode: 'many' };
    case 'base64': return { statusCode: 200, headers: { 'content-type': 'image/png', 'content-length': '1' }, isBase64Encoded: true, body: Buffer.from([1, 2, 3]).toString('base64') };
    case 'teapot': return { statusCode: 418, headers: { 'X-Own': 'yes' }, cookies: ['a=1', 'b=2'], body: 'short and stout' };
    default: return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) };
  }
};`;

const AUTHORIZE = `
let asked = 0;
exports.handler = async (event) => {
  asked += 1;
  const [token] = event.identitySource;
  if (token === 'broken') throw new Error('no');
  return { isAuthorized: token !== 'wrong', context: { tenant: token, asked, type: event.type, arn: event.routeArn } };
};`;

beforeAll(async () => {
  const assembly = synthesise((stack) => {
    const echo = inlineFunction(stack, 'echo', ECHO);
    const integration = new HttpLambdaIntegration('Echo', echo);
    const api = new HttpApi(stack, 'Api', {
      defaultAuthorizer: new HttpLambdaAuthorizer('Authorizer', inlineFunction(stack, 'authorize', AUTHORIZE), {
        responseTypes: [HttpLambdaResponseType.SIMPLE],
        identitySource: ['$request.header.Authorization'],
        resultsCacheTtl: Duration.minutes(5),
      }),
    });
    const open = new HttpNoneAuthorizer();
    const add = (path: string, methods: HttpMethod[], authorizer?: HttpNoneAuthorizer) =>
      api.addRoutes({ path, methods, integration, ...(authorizer === undefined ? {} : { authorizer }) });
    add('/v1/tasks', [HttpMethod.POST], open);
    add('/v1/tasks/{id}', [HttpMethod.GET], open);
    add('/v1/tasks/mine', [HttpMethod.GET], open);
    add('/files/{path+}', [HttpMethod.ANY], open);
    add('/secret', [HttpMethod.GET]);
    const slow = inlineFunction(stack, 'slow', `exports.handler = () => new Promise(() => {})`, { timeout: Duration.seconds(20) });
    api.addRoutes({
      path: '/slow',
      methods: [HttpMethod.GET],
      authorizer: open,
      integration: new HttpLambdaIntegration('Slow', slow, { timeout: Duration.millis(100) }),
    });
    const full = inlineFunction(stack, 'full', ECHO, { reservedConcurrentExecutions: 0 });
    api.addRoutes({ path: '/full', methods: [HttpMethod.GET], authorizer: open, integration: new HttpLambdaIntegration('Full', full) });
    const [signed] = api.addRoutes({ path: '/signed', methods: [HttpMethod.GET], authorizer: open, integration });
    (signed!.node.defaultChild as CfnRoute).authorizationType = 'AWS_IAM';
    new CfnOutput(stack, 'Endpoint', { value: api.apiEndpoint });
    new CfnOutput(stack, 'Url', { value: api.url! });
  });
  host = await start(assembly);
});

afterAll(() => host?.close());

const get = async (path: string, init?: RequestInit) => {
  const response = await fetch(host.url + path, init);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Parsed };
};

describe('an HTTP API', () => {
  it('has the host as its address in the outputs', () => {
    expect(host.outputs).toMatchObject({ Endpoint: host.url, Url: `${host.url}/` });
  });

  it('hands over requests in payload format 2.0', async () => {
    const { body: event } = await get('/v1/tasks?a=1&a=2&b=x%20y', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'X-Own': 'yes', cookie: 'one=1; two=2' },
      body: '{"type":"t"}',
    });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'POST /v1/tasks',
      rawPath: '/v1/tasks',
      rawQueryString: 'a=1&a=2&b=x%20y',
      cookies: ['one=1', 'two=2'],
      headers: { 'content-type': 'application/json', 'x-own': 'yes' },
      queryStringParameters: { a: '1,2', b: 'x y' },
      body: '{"type":"t"}',
      isBase64Encoded: false,
      requestContext: {
        accountId: '000000000000',
        stage: '$default',
        routeKey: 'POST /v1/tasks',
        requestId: expect.any(String),
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
        http: { method: 'POST', path: '/v1/tasks', protocol: 'HTTP/1.1', sourceIp: expect.any(String) },
      },
    });
    expect(event.headers.cookie).toBeUndefined();
    expect(event.requestContext.authorizer).toBeUndefined();
  });

  it('sends what is not text as base64', async () => {
    const bytes = new Uint8Array([0, 255, 1]);
    const { body: event } = await get('/v1/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes,
    });
    expect(event).toMatchObject({ isBase64Encoded: true, body: Buffer.from(bytes).toString('base64') });
  });

  it('finds the most specific route and decodes its parameters', async () => {
    expect((await get('/v1/tasks/a%2Fb')).body).toMatchObject({ routeKey: 'GET /v1/tasks/{id}', pathParameters: { id: 'a/b' } });
    expect((await get('/v1/tasks/mine')).body).toMatchObject({ routeKey: 'GET /v1/tasks/mine' });
    expect((await get('/files/a/b.txt', { method: 'PUT' })).body).toMatchObject({ pathParameters: { path: 'a/b.txt' } });
    expect(await get('/v1/none')).toMatchObject({ status: 404, body: { message: 'Not Found' } });
    expect((await get('/v1/tasks', { method: 'DELETE' })).status).toBe(404);
  });

  it('turns results into responses', async () => {
    const plain = await get('/v1/tasks/1?do=plain');
    expect(plain).toMatchObject({ status: 200, body: { hello: 'world' } });
    const teapot = await fetch(`${host.url}/v1/tasks/1?do=teapot`);
    expect(teapot.status).toBe(418);
    expect(teapot.headers.get('x-own')).toBe('yes');
    expect(teapot.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await teapot.text()).toBe('short and stout');
    const image = await fetch(`${host.url}/v1/tasks/1?do=base64`);
    expect(new Uint8Array(await image.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
    for (const path of ['/v1/tasks/1?do=fail', '/v1/tasks/1?do=odd']) {
      expect(await get(path)).toMatchObject({ status: 500, body: { message: 'Internal Server Error' } });
    }
  });

  it('refuses bodies over 10 MB, late integrations, full functions and signed routes', async () => {
    expect((await get('/v1/tasks', { method: 'POST', body: 'x'.repeat(10_500_000) })).status).toBe(413);
    expect(await get('/slow')).toMatchObject({ status: 503, body: { message: 'Service Unavailable' } });
    expect((await get('/full')).status).toBe(503);
    const signed = await get('/signed');
    expect(signed.status).toBe(501);
    expect(signed.body.message).toMatch(/AWS_IAM/);
  });

  it('asks its authorizer once for an identity and keeps the answer', async () => {
    const as = (token: string) => get('/secret', { headers: { authorization: token } });
    const first = await as('acme');
    expect(first.body.requestContext.authorizer.lambda).toMatchObject({
      tenant: 'acme',
      type: 'REQUEST',
      arn: expect.stringMatching(/^arn:aws:execute-api:us-east-1:000000000000:[0-9a-f]{10}\/\$default\/GET\/secret$/),
    });
    const second = await as('acme');
    expect(second.body.requestContext.authorizer.lambda.asked).toBe(first.body.requestContext.authorizer.lambda.asked);
    const other = await as('other');
    expect(other.body.requestContext.authorizer.lambda).toMatchObject({ tenant: 'other' });
  });

  it('refuses who has no identity, a wrong one, or an authorizer that fails', async () => {
    expect(await get('/secret')).toMatchObject({ status: 401, body: { message: 'Unauthorized' } });
    expect(await get('/secret', { headers: { authorization: 'wrong' } })).toMatchObject({
      status: 403,
      body: { message: 'Forbidden' },
    });
    expect((await get('/secret', { headers: { authorization: 'broken' } })).status).toBe(500);
  });
});

describe('route matching', () => {
  const route = (routeKey: string) => ({ routeKey, integrationId: '', authorization: 'NONE' as const, authorizerId: undefined });
  const routes = ['$default', 'ANY /a/{rest+}', 'GET /a/{rest+}', 'GET /a/{x}', 'GET /a/b', 'ANY /a/b'].map(route);

  it.each([
    ['GET', '/a/b', 'GET /a/b'],
    ['POST', '/a/b', 'ANY /a/b'],
    ['GET', '/a/c', 'GET /a/{x}'],
    ['GET', '/a/c/d', 'GET /a/{rest+}'],
    ['POST', '/a/c/d', 'ANY /a/{rest+}'],
    ['GET', '/', '$default'],
  ])('sends %s %s to %s', (method, path, expected) => {
    expect(matchRoute(routes, method, path)?.route.routeKey).toBe(expected);
  });
});
