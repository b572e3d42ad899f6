import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { ApiError, ConnectionError, isClientError, SchemaMismatchError, SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, cut, cutInBody, startApiServer, type ApiServer } from './api-server.ts';
import { accepted, problem, task } from './samples.ts';

let server: ApiServer;
const clientOf = (options: Partial<ConstructorParameters<typeof SluiceClient>[0]> = {}) =>
  new SluiceClient({ baseUrl: server.baseUrl, token: 'slc_x', minRetryDelayMs: 1, ...options });
const idOf = (n: number) => (JSON.parse(server.received[n]?.body ?? '{}') as { id?: string }).id;

beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

describe('submit', () => {
  it('sends the submission with its credentials and a ULID of its own', async () => {
    server.reply((response, request) => answer(201, accepted((JSON.parse(request.body) as { id: string }).id))(response, request));
    const task = await clientOf().submit({ type: 'thumbnail', payload: { key: 'a.jpg' }, delaySeconds: 5 });
    const [request] = server.received;
    expect(request).toMatchObject({ method: 'POST', url: '/v1/tasks' });
    expect(request?.headers).toMatchObject({ authorization: 'Bearer slc_x', 'content-type': 'application/json' });
    expect(JSON.parse(request?.body ?? '')).toEqual({ type: 'thumbnail', payload: { key: 'a.jpg' }, delaySeconds: 5, id: task.id });
    expect(task.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  it('keeps the id that it is given', async () => {
    server.reply(answer(200, accepted('order-7', true)));
    expect(await clientOf().submit({ type: 'thumbnail', id: 'order-7' })).toMatchObject({ id: 'order-7', deduplicated: true });
    expect(idOf(0)).toBe('order-7');
  });

  it('repeats the same task after cut connections and 5xx', async () => {
    server.reply(cut, cutInBody, answer(503, problem('unavailable')), answer(500, '<html>'), answer(200, accepted('a')));
    await clientOf().submit({ type: 'thumbnail' });
    expect(server.received).toHaveLength(5);
    expect(new Set(server.received.map((r) => r.body)).size).toBe(1);
    expect(idOf(0)).toBeDefined();
  });

  it('gives up after its repeats with the last error', async () => {
    server.reply(cut);
    const error = await clientOf({ retries: 2 })
      .submit({ type: 'thumbnail' })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ kind: 'connection', retryable: true, message: expect.stringContaining('POST http') as string });
    expect(server.received).toHaveLength(3);
  });

  it('does not repeat what would fail again', async () => {
    server.reply(answer(409, problem('id_conflict')));
    const error = await clientOf()
      .submit({ type: 'thumbnail', id: 'a' })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 409, code: 'id_conflict', retryable: false, problem: { detail: 'it is id_conflict' } });
    expect(isClientError(error)).toBe(true);
    expect(server.received).toHaveLength(1);
  });

  it('refuses what no call can carry without making one', async () => {
    server.reply(answer(201, accepted('a')));
    await expect(clientOf().submit({ type: 'x', payload: 'x'.repeat(5_000_000) })).rejects.toMatchObject({ code: 'body_too_large' });
    await expect(clientOf().submit({ type: 'x', payload: 1n })).rejects.toMatchObject({ code: 'bad_request' });
    expect(server.received).toHaveLength(0);
  });
});

describe('Retry-After', () => {
  it('is waited for in seconds', async () => {
    server.reply(answer(429, problem('throttled'), { 'retry-after': '1' }), answer(201, accepted('a')));
    await clientOf().submit({ type: 'x' });
    const [first, second] = server.received;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(995);
  });

  it('is waited for as an HTTP date', async () => {
    const at = Math.ceil(Date.now() / 1_000) * 1_000 + 1_000;
    server.reply(answer(503, problem('unavailable'), { 'retry-after': new Date(at).toUTCString() }), answer(201, accepted('a')));
    await clientOf().submit({ type: 'x' });
    expect(server.received[1]?.at).toBeGreaterThanOrEqual(at - 5);
  });

  it('ends the call when it is longer than the caller wants to wait', async () => {
    server.reply(answer(429, problem('throttled'), { 'retry-after': '3600' }));
    await expect(clientOf().submit({ type: 'x' })).rejects.toMatchObject({ code: 'throttled', retryAfterSeconds: 3_600 });
    expect(server.received).toHaveLength(1);
  });
});

describe('answers', () => {
  it.each([
    ['not JSON', '<html>ok</html>'],
    ['JSON of another shape', { ok: true }],
    ['empty', ''],
  ])('that are %s are a schema mismatch, and not repeated', async (_, body) => {
    server.reply(answer(200, body));
    const error = await clientOf()
      .get('a')
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(SchemaMismatchError);
    expect(error).toMatchObject({ kind: 'schema_mismatch', retryable: false });
    expect(server.received).toHaveLength(1);
  });

  it('of the gateway itself get the code nearest to their status', async () => {
    server.reply(answer(403, { message: 'Forbidden' }));
    await expect(clientOf().get('a')).rejects.toMatchObject({ status: 403, code: 'forbidden', problem: undefined });
  });

  it('that do not come in time are a connection error', async () => {
    server.reply(() => undefined);
    await expect(clientOf({ retries: 0, timeoutMs: 50 }).get('a')).rejects.toThrow('no answer within 50 ms');
  });
});

describe('get and health', () => {
  it('asks for the values to include, and escapes the id', async () => {
    server.reply(answer(200, task('a:b@c', 'succeeded')));
    expect(await clientOf().get('a:b@c', { include: ['payload', 'result'] })).toMatchObject({ result: { key: 'b.jpg' } });
    expect(server.received[0]?.url).toBe('/v1/tasks/a%3Ab%40c?include=payload,result');
  });

  it('refuses an id that would lead elsewhere', async () => {
    await expect(clientOf().get('../../admin')).rejects.toThrow(TypeError);
    expect(server.received).toHaveLength(0);
  });

  it('asks for health without credentials', async () => {
    server.reply(answer(200, { status: 'ok', version: '1.2.3' }));
    expect(await clientOf({ baseUrl: `${server.baseUrl}/stage/` }).health()).toEqual({ status: 'ok', version: '1.2.3' });
    expect(server.received[0]?.url).toBe('/stage/v1/health');
    expect(server.received[0]?.headers.authorization).toBeUndefined();
  });

  it('asks for the token at each try', async () => {
    let n = 0;
    server.reply(answer(500, ''), answer(200, task('a', 'waiting')));
    await clientOf({ token: async () => `t${++n}` }).get('a');
    expect(server.received.map((r) => r.headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('ends with the reason of an abort, between tries too', async () => {
    server.reply(answer(429, problem('throttled'), { 'retry-after': '30' }));
    const reason = new Error('enough');
    const controller = new AbortController();
    const call = clientOf().get('a', { signal: controller.signal });
    await expect.poll(() => server.received.length).toBe(1);
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
  });
});

it('says which option is wrong', () => {
  expect(() => clientOf({ baseUrl: 'sluice.example.com' })).toThrow('baseUrl is "sluice.example.com"');
  expect(() => clientOf({ retries: -1 })).toThrow('retries is -1');
  expect(() => clientOf({ timeoutMs: Number.NaN })).toThrow(TypeError);
});

it('types payloads and results by a map of types', () => {
  interface Tasks {
    thumbnail: { payload: { key: string }; result: { bytes: number } };
    ping: { payload?: undefined };
  }
  const client = clientOf() as unknown as SluiceClient<Tasks>;
  const types = async () => {
    await client.submit({ type: 'thumbnail', payload: { key: 'a' } });
    await client.submit({ type: 'ping' });
    // @ts-expect-error the payload has another shape
    await client.submit({ type: 'thumbnail', payload: { name: 'a' } });
    // @ts-expect-error the payload is missing
    await client.submit({ type: 'thumbnail' });
    // @ts-expect-error there is no such type
    await client.submit({ type: 'thumb', payload: {} });
    // @ts-expect-error there is no such type
    client.list({ type: 'thumb' });
    for await (const { type } of client.list({ type: 'ping' })) expectTypeOf(type).toEqualTypeOf<'thumbnail' | 'ping'>();
    const task = await client.get('a');
    if (task.type === 'thumbnail') expectTypeOf(task.result).toEqualTypeOf<{ bytes: number } | undefined>();
  };
  expect(types).toBeInstanceOf(Function);
});
