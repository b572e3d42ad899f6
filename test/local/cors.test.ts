import { App, Stack } from 'aws-cdk-lib';
import { CorsHttpMethod, HttpApi, HttpMethod } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaAuthorizer, HttpLambdaResponseType } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Duration } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TaskPlatform, type TaskPlatformProps } from '../../lib/index.ts';
import { corsHeaders, preflightHeaders, type CorsConfiguration } from '../../local/http-api/cors.ts';
import { inlineFunction, start, synthesise, type RunningHost } from './support/harness.ts';

describe('the prop cors of a platform', () => {
  const template = (props: TaskPlatformProps) => {
    const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [] }, builtinCloudFormationValidation: false }), 'Sluice');
    new TaskPlatform(stack, 'Platform', props);
    return Template.fromStack(stack);
  };
  const expectCors = (props: TaskPlatformProps, cors: unknown) =>
    template(props).hasResourceProperties('AWS::ApiGatewayV2::Api', { CorsConfiguration: cors });

  it('is off unless it is given, and lets pages of its origins send what the API takes', () => {
    expectCors({}, Match.absent());
    const allowOrigins = ['https://console.example.com'];
    const common = {
      AllowOrigins: allowOrigins,
      AllowMethods: ['DELETE', 'GET', 'POST', 'PUT'],
      ExposeHeaders: ['retry-after'],
      MaxAge: 7200,
    };
    expectCors({ cors: { allowOrigins } }, { ...common, AllowHeaders: ['authorization', 'content-type'] });
    expectCors({ cors: { allowOrigins }, auth: 'iam' }, { ...common, AllowHeaders: Match.arrayWith(['authorization', 'x-amz-date']) });
  });

  it.each([[[]], [['https://console.example.com/']], [['console.example.com']], [['']]])('refuses the origins %j', (allowOrigins) => {
    expect(() => template({ cors: { allowOrigins } })).toThrow(/cors\.allowOrigins/);
  });
});

describe('CORS by its configuration', () => {
  const cors: CorsConfiguration = {
    allowOrigins: ['https://one.example', 'http://*'],
    allowMethods: ['GET'],
    allowHeaders: ['authorization'],
    exposeHeaders: ['retry-after', 'etag'],
    allowCredentials: true,
    maxAgeSeconds: undefined,
  };
  const request = (origin: string | undefined, method = 'GET') => ({ method, origin, requestedMethod: 'GET' });

  it('answers for the origins that it names, and for no other', () => {
    for (const origin of ['https://one.example', 'http://anything:8080']) {
      expect(corsHeaders(cors, request(origin))).toEqual({
        'access-control-allow-origin': origin,
        vary: 'origin',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'retry-after,etag',
      });
    }
    for (const origin of ['https://two.example', 'https://one.example.evil', 'null', undefined]) {
      expect(corsHeaders(cors, request(origin))).toEqual({});
      expect(preflightHeaders(cors, request(origin, 'OPTIONS'))).toEqual(origin === undefined ? undefined : {});
    }
    expect(corsHeaders(undefined, request('https://one.example'))).toEqual({});
    expect(corsHeaders({ ...cors, allowOrigins: ['*'] }, request('null'))).toMatchObject({ 'access-control-allow-origin': '*' });
  });
});

describe('an HTTP API with CORS', () => {
  let host: RunningHost;

  beforeAll(async () => {
    const assembly = synthesise((stack) => {
      const guard = inlineFunction(
        stack,
        'guard',
        `exports.handler = async ({ identitySource: [key] }) => ({ isAuthorized: key === 'good' })`,
      );
      const echo = inlineFunction(
        stack,
        'echo',
        `exports.handler = async ({ routeKey }) => ({ statusCode: 200, headers: { 'Access-Control-Allow-Origin': 'https://mine', 'x-route': routeKey } })`,
      );
      const api = new HttpApi(stack, 'Api', {
        corsPreflight: {
          allowOrigins: ['*'],
          allowMethods: [CorsHttpMethod.GET, CorsHttpMethod.POST],
          allowHeaders: ['authorization', 'content-type'],
          exposeHeaders: ['retry-after'],
          maxAge: Duration.minutes(10),
        },
      });
      const authorizer = new HttpLambdaAuthorizer('Guard', guard, {
        responseTypes: [HttpLambdaResponseType.SIMPLE],
        identitySource: ['$request.header.Authorization'],
      });
      const integration = new HttpLambdaIntegration('Echo', echo);
      api.addRoutes({ path: '/guarded', methods: [HttpMethod.GET, HttpMethod.POST], integration, authorizer });
      api.addRoutes({ path: '/own', methods: [HttpMethod.OPTIONS], integration });
    });
    host = await start(assembly, {
      fallback: ({ path }) => (path === '/page' ? { status: 200, headers: { 'x-page': 'yes' }, body: 'page' } : undefined),
    });
  });

  afterAll(async () => {
    await host?.close();
  });

  const ORIGIN = { origin: 'https://console.example.com' };
  const call = async (path: string, init: RequestInit) => {
    const response = await fetch(host.url + path, init);
    await response.arrayBuffer();
    return { status: response.status, headers: Object.fromEntries(response.headers) };
  };

  it('answers preflights itself, without asking the authorizer, for any path', async () => {
    for (const path of ['/guarded', '/nowhere']) {
      const { status, headers } = await call(path, { method: 'OPTIONS', headers: { ...ORIGIN, 'access-control-request-method': 'POST' } });
      expect(status).toBe(204);
      expect(headers).toMatchObject({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': 'authorization,content-type',
        'access-control-max-age': '600',
      });
    }
    // What only looks like one is a call.
    expect((await call('/guarded', { method: 'OPTIONS', headers: ORIGIN })).status).toBe(404);
    const own = await call('/own', { method: 'OPTIONS', headers: { ...ORIGIN, 'access-control-request-method': 'GET' } });
    expect(own.headers).toMatchObject({ 'x-route': 'OPTIONS /own', 'access-control-allow-origin': '*' });
  });

  it('puts its headers on answers in place of the function’s own, and on its refusals', async () => {
    const answered = await call('/guarded', { headers: { ...ORIGIN, authorization: 'good' } });
    expect(answered).toMatchObject({
      status: 200,
      headers: { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after', 'x-route': 'GET /guarded' },
    });
    const refused = await call('/guarded', { headers: { ...ORIGIN, authorization: 'bad' } });
    expect(refused).toMatchObject({ status: 403, headers: { 'access-control-allow-origin': '*' } });
    const plain = await call('/guarded', { headers: { authorization: 'good' } });
    expect(plain.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('leaves what is not its own to the host, which tells other origins nothing', async () => {
    const page = await call('/page', { headers: ORIGIN });
    expect(page).toMatchObject({ status: 200, headers: { 'x-page': 'yes' } });
    expect(page.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await call('/nowhere', { headers: ORIGIN })).status).toBe(404);
  });
});
