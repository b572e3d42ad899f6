import { LIMITS, problemSchema, ROUTES, SluiceError } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHttpHandler, type Route } from '../../../adapters/http/create-http-handler.ts';
import { json } from '../../../adapters/http/respond.ts';
import { createMemoryTelemetry, createMemoryTokenStore, type MemoryTelemetry } from '../../../adapters/memory/index.ts';
import type { TokenStore } from '../../../core/ports/token-store.ts';
import { answerOf, request, type Answer, type RequestOptions } from './requests.ts';

const ROUTE = 'POST /v1/tasks';
let tokens: TokenStore;
let telemetry: MemoryTelemetry;

beforeEach(() => {
  tokens = createMemoryTokenStore();
  telemetry = createMemoryTelemetry();
});

async function call(route: Route, options: RequestOptions = {}, routeKey = ROUTE): Promise<Answer> {
  return answerOf(await createHttpHandler({ tokens, telemetry }, ROUTES, { submit: route, health: route })(request(routeKey, options)));
}
const echo: Route = async ({ tenant, body }) => json(200, { tenant, body: body() });
const failing =
  (error: unknown): Route =>
  async () => {
    throw error;
  };

describe('bodies', () => {
  it('are JSON in text or in base64', async () => {
    expect((await call(echo, { body: { n: '€' } })).body).toEqual({ tenant: 'acme', body: { n: '€' } });
    expect((await call(echo, { body: { n: '€' }, base64: true })).body).toEqual({ tenant: 'acme', body: { n: '€' } });
  });

  it.each([
    ['no JSON', { body: '{"type":' }],
    ['empty', { body: '' }],
    ['absent', {}],
  ])('that are %s are malformed_json', async (_, options: RequestOptions) => {
    const { status, body, headers } = await call(echo, options);
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'malformed_json' });
    expect(headers['content-type']).toBe('application/problem+json');
    expect(problemSchema.safeParse(body).success).toBe(true);
  });

  it.each([false, true])('may begin with a byte order mark, base64: %s', async (base64) => {
    expect((await call(echo, { body: '\ufeff{"n":1}', base64 })).body).toEqual({ tenant: 'acme', body: { n: 1 } });
  });

  it('that are not UTF-8 are malformed_json', async () => {
    const event = { ...request(ROUTE), body: Buffer.from([0xff, 0xfe]).toString('base64'), isBase64Encoded: true };
    const { body } = answerOf(await createHttpHandler({ tokens, telemetry }, ROUTES, { submit: echo })(event));
    expect(body).toMatchObject({ code: 'malformed_json', detail: 'the body is not UTF-8' });
  });

  it.each([false, true])('are taken up to the limit in bytes, base64: %s', async (base64) => {
    const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;
    expect((await call(echo, { body: text(LIMITS.bodyBytes), base64 })).status).toBe(200);
    const { status, body } = await call(echo, { body: text(LIMITS.bodyBytes + 1), base64 });
    expect(status).toBe(413);
    expect(body).toMatchObject({ code: 'body_too_large', details: { bytes: LIMITS.bodyBytes + 1, limit: LIMITS.bodyBytes } });
  });
});

describe('credentials', () => {
  it('of a token decide the tenant and what it may do', async () => {
    expect((await call(echo, { tenant: 'beta', scopes: ['submit'], body: 1 })).body).toMatchObject({ tenant: 'beta' });
    const { status, body } = await call(echo, { scopes: ['read'], body: 1 });
    expect({ status, code: body['code'] }).toEqual({ status: 403, code: 'forbidden' });
    expect(body['detail']).toContain('"submit"');
    expect(body['details']).toEqual({ needed: 'submit', scopes: ['read'] });
  });

  it('with the scope admin may do everything', async () => {
    expect((await call(echo, { scopes: ['admin'], body: 1 })).status).toBe(200);
  });

  it.each([
    ['there are none', {}],
    ['the context is empty', { lambda: {} }],
    ['the tenant is no tenant', { lambda: { tenant: 'a#b', scopes: 'submit' } }],
    ['there are no scopes', { lambda: { tenant: 'acme', scopes: '' } }],
    ['a scope is unknown', { lambda: { tenant: 'acme', scopes: 'submit,root' } }],
  ])('are refused when %s', async (_, authorizer) => {
    expect(await call(echo, { authorizer, body: 1 })).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });

  it('of a role are those of its registration, whichever session calls', async () => {
    await tokens.putPrincipal({ v: 1, arn: 'arn:aws:iam::1:role/worker', tenant: 'beta', scopes: ['submit'], createdAt: 0 });
    const iam = (userArn: string) => ({ iam: { userArn } });
    const known = await call(echo, { authorizer: iam('arn:aws:sts::1:assumed-role/worker/i-0abc'), body: 1 });
    expect(known.body).toMatchObject({ tenant: 'beta' });
    const unknown = await call(echo, { authorizer: iam('arn:aws:sts::1:assumed-role/other/s'), body: 1 });
    expect(unknown).toMatchObject({ status: 403, body: { code: 'forbidden', details: { principal: 'arn:aws:iam::1:role/other' } } });
  });

  it('are not needed where the route has no scope', async () => {
    const { status } = await call(async () => json(200, {}), { authorizer: {} }, 'GET /v1/health');
    expect(status).toBe(200);
  });
});

describe('errors', () => {
  it('of ours are problem details with the status of their code', async () => {
    const { status, body } = await call(failing(new SluiceError('id_conflict', 'another task', { details: { id: 'a' } })));
    expect(status).toBe(409);
    expect(body).toEqual({
      type: 'urn:sluice:error:id_conflict',
      title: 'id conflict',
      status: 409,
      code: 'id_conflict',
      detail: 'another task',
      details: { id: 'a' },
    });
  });

  it('that pass tell when to come back', async () => {
    expect(
      (await call(failing(new SluiceError('throttled', 'slow', { details: { retryAfterSeconds: 7.2 } })))).headers['retry-after'],
    ).toBe('8');
    expect((await call(failing(new SluiceError('unavailable', 'later')))).headers['retry-after']).toBe('1');
    expect((await call(failing(new SluiceError('not_found', 'no')))).headers['retry-after']).toBeUndefined();
  });

  it.each([
    ['unknown', new TypeError('secret of arn:aws:iam::1:role/x'), 500, 'internal', 'error'],
    ['no errors', 'secret', 500, 'internal', 'error'],
    ['internal', new SluiceError('internal', 'secret'), 500, 'internal', 'error'],
    ['of a service behind', new SluiceError('unavailable', 'secret', { cause: new Error('secret') }), 503, 'unavailable', 'warn'],
  ])('that are %s are logged with the request and tell nothing of themselves', async (_, error, status, code, level) => {
    const answer = await call(failing(error), { tenant: 'beta' });
    expect(answer).toMatchObject({ status, body: { code, details: { requestId: 'request-1' } } });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(telemetry.lines()).toMatchObject([{ level, fields: { requestId: 'request-1', tenant: 'beta', route: ROUTE, error } }]);
  });

  it('say which routes there are', async () => {
    expect(await call(echo, {}, 'PUT /v1/tasks')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });
});
