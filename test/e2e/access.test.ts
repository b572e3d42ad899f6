import { problemSchema } from '@sluice/contracts';
import openapi from '@sluice/contracts/openapi.json' with { type: 'json' };
import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientOf, clientWith, finished, fresh, tokenOf, type Client } from './target.ts';

const UNKNOWN_TOKEN = `slc_${'A'.repeat(43)}`;
const TASK = JSON.stringify({ type: 'unruly-wait', payload: { do: 'ok' } });

describe.concurrent('access', () => {
  const tenant = fresh('alpha');
  const other = fresh('beta');
  let token: string;
  let client: Client;
  beforeAll(async () => {
    token = await tokenOf(tenant);
    client = clientWith(token);
  });

  test('health answers without a token', async () => {
    expect(await clientWith('none').health()).toMatchObject({ status: 'ok' });
  });

  test('the OpenAPI document is given without a token, and may be kept for a while', async () => {
    const response = await call('/v1/openapi.json');

    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    expect(await response.json()).toEqual(openapi);
  });

  test('a call without a token is unauthorized', async () => {
    expect((await call('/v1/tasks', { method: 'POST', body: TASK })).status).toBe(401);
    expect((await call('/v1/tasks/some-id')).status).toBe(401);
  });

  test('a token that was never issued is refused', async () => {
    for (const unknown of [UNKNOWN_TOKEN, 'nonsense']) {
      const { status } = await call('/v1/tasks', { method: 'POST', body: TASK, token: unknown });
      expect([401, 403]).toContain(status);
    }
  });

  test('a token without the scope is forbidden, one with admin is not', async () => {
    const { id } = await client.submit({ type: 'unruly-wait', payload: { do: 'ok' } });
    const [reader, submitter, admin] = await Promise.all([
      clientOf(tenant, ['read']),
      clientOf(tenant, ['submit']),
      clientOf(tenant, ['admin']),
    ]);

    await expect(reader.submit({ type: 'unruly-wait' })).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    await expect(submitter.get(id)).rejects.toMatchObject({ status: 403, code: 'forbidden' });
    expect(await reader.get(id)).toMatchObject({ id });
    expect(await admin.get(id)).toMatchObject({ id });
  });

  test("another tenant's task is as unknown as one that never was", async () => {
    const { id } = await client.submit({ type: 'unruly-wait', id: fresh('mine'), payload: { do: 'ok' } });
    const stranger = await clientOf(other, ['admin']);

    await expect(stranger.get(id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(stranger.wait(id, { timeoutSeconds: 5 })).rejects.toMatchObject({ status: 404 });
    await expect(stranger.get(fresh('never'))).rejects.toMatchObject({ status: 404, code: 'not_found' });
  });

  test('two tenants may use the same id for tasks of their own', async () => {
    const id = fresh('shared');
    const stranger = await clientOf(other);

    const mine = await client.submit({ type: 'unruly-wait', id, payload: { do: 'ok', key: 'mine' } });
    const theirs = await stranger.submit({ type: 'unruly-wait', id, payload: { do: 'ok', key: 'theirs' } });

    expect(theirs.uid).not.toBe(mine.uid);
    expect(await finished(client, id)).toMatchObject({ tenant, result: { key: 'mine' } });
    expect(await finished(stranger, id)).toMatchObject({ tenant: other, result: { key: 'theirs' } });
  });

  test.each([
    ['malformed JSON', '{"type": ', 400, 'malformed_json'],
    ['a field that is not known', '{"type":"unruly","when":1}', 400, 'bad_request'],
    ['a type that is not deployed', '{"type":"no-such-type"}', 400, 'unknown_type'],
    ['delay and run-at together', '{"type":"unruly","delaySeconds":1,"runAt":"2099-01-01T00:00:00Z"}', 400, 'bad_request'],
    ['a payload over the limit', JSON.stringify({ type: 'unruly', payload: 'x'.repeat(1_048_577) }), 413, 'payload_too_large'],
  ])('%s is answered with a problem and its code', async (_, body, status, code) => {
    const response = await call('/v1/tasks', { method: 'POST', body, token });

    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(problemSchema.parse(await response.json())).toMatchObject({ status, code, type: `urn:sluice:error:${code}` });
  });
});
