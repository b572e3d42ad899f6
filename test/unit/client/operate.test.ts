import type { Cancelled, IssuedToken } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer } from './api-server.ts';
import { accepted, problem, task, UID } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;
const OTHER_UID = UID.replace(/.$/, '7');
const TOKEN_ID = 'tok_0123456789abcdef';

beforeEach(async () => {
  server = await startApiServer();
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 3 });
});
afterEach(() => server.close());

const calls = () => server.received.map(({ method, url }) => `${method} ${url}`);

describe('cancel', () => {
  const cancelled: Cancelled = { id: 'a:b', uid: UID, state: 'cancelling' };

  it('answers what the task is now, through repeats', async () => {
    server.reply(cut, answer(503, problem('unavailable')), answer(200, cancelled));
    expect(await client.cancel('a:b')).toEqual(cancelled);
    expect(calls()).toEqual(Array.from({ length: 3 }, () => 'POST /v1/tasks/a%3Ab/cancel'));
  });

  it('is refused for a task that has ended', async () => {
    server.reply(answer(409, problem('state_conflict', { state: 'succeeded' })));
    await expect(client.cancel('a')).rejects.toMatchObject({ name: 'ConflictError', code: 'state_conflict' });
    await expect(client.cancel('../tokens')).rejects.toThrow('is no task id');
  });
});

describe('retry', () => {
  it('asks which generation the id stands for, and names it in every repeat', async () => {
    server.reply(answer(200, task('a', 'failed')), cut, answer(500, ''), answer(200, accepted('a', true)));
    expect(await client.retry('a')).toMatchObject({ deduplicated: true });
    expect(calls()).toEqual(['GET /v1/tasks/a', ...Array.from({ length: 3 }, () => `POST /v1/tasks/a/retry?uid=${UID}`)]);
  });

  it('takes the generation that it is given', async () => {
    server.reply(answer(201, accepted('a')));
    await client.retry('a', { uid: OTHER_UID });
    expect(calls()).toEqual([`POST /v1/tasks/a/retry?uid=${OTHER_UID}`]);
    await expect(client.retry('a', { uid: '1&x=y' })).rejects.toThrow(TypeError);
    expect(calls()).toHaveLength(1);
  });

  it('is refused when its payload is gone', async () => {
    server.reply(answer(410, problem('payload_gone')));
    await expect(client.retry('a', { uid: UID })).rejects.toMatchObject({ name: 'GoneError', code: 'payload_gone' });
  });
});

describe('tokens', () => {
  const issued: IssuedToken = {
    id: TOKEN_ID,
    token: `slc_${'x'.repeat(43)}`,
    scopes: ['read'],
    name: 'dashboard',
    createdAt: '2026-01-01T00:00:00.000Z',
  };

  it('are made, listed, rotated and revoked', async () => {
    const { token: _, ...view } = issued;
    server.reply(answer(201, issued), answer(200, { tokens: [view] }), answer(201, issued), answer(201, issued), answer(204, ''));
    expect(await client.tokens.create({ scopes: ['read'], name: 'dashboard', expiresInDays: 30 })).toEqual(issued);
    expect(await client.tokens.list()).toEqual([view]);
    expect(await client.tokens.rotate(TOKEN_ID, { graceSeconds: 60 })).toEqual(issued);
    await client.tokens.rotate(TOKEN_ID);
    expect(await client.tokens.revoke(TOKEN_ID)).toBeUndefined();
    expect(calls()).toEqual([
      'POST /v1/tokens',
      'GET /v1/tokens',
      `POST /v1/tokens/${TOKEN_ID}/rotate`,
      `POST /v1/tokens/${TOKEN_ID}/rotate`,
      `DELETE /v1/tokens/${TOKEN_ID}`,
    ]);
    expect(server.received.map(({ body }) => body)).toEqual([
      '{"scopes":["read"],"name":"dashboard","expiresInDays":30}',
      '',
      '{"graceSeconds":60}',
      '{}',
      '',
    ]);
  });

  const makers: [string, (own: SluiceClient) => Promise<unknown>][] = [
    ['create', (own) => own.tokens.create({ scopes: ['read'] })],
    ['rotate', (own) => own.tokens.rotate(TOKEN_ID)],
  ];
  const unclear: [string, Parameters<ApiServer['reply']>[0], object][] = [
    ['cut', cut, { kind: 'connection' }],
    ['500', answer(500, problem('internal')), { name: 'ServerError' }],
    ['503', answer(503, problem('unavailable')), { name: 'ServerError', code: 'unavailable' }],
  ];

  it.each(makers.flatMap(([name, make]) => unclear.map(([end, ...rest]) => [`${name} after ${end}`, make, ...rest] as const)))(
    'are not made twice: %s is not repeated',
    async (_, make, reply, error) => {
      server.reply(reply);
      await expect(make(client)).rejects.toMatchObject(error);
      expect(server.received).toHaveLength(1);
    },
  );

  it.each(makers)('are made when they were refused before: %s is repeated after 429', async (_, make) => {
    server.reply(answer(429, problem('throttled'), { 'retry-after': '0' }), answer(429, ''), answer(201, issued));
    expect(await make(client)).toEqual(issued);
    expect(server.received).toHaveLength(3);
  });

  it('are gone when a repeat does not find them', async () => {
    server.reply(cut, answer(429, ''), answer(404, problem('not_found')));
    expect(await client.tokens.revoke(TOKEN_ID)).toBeUndefined();
  });

  it('that never were are told, when nothing else can have removed them', async () => {
    server.reply(answer(429, problem('throttled')), answer(404, problem('not_found')));
    await expect(client.tokens.revoke(TOKEN_ID)).rejects.toMatchObject({ name: 'NotFoundError' });
    await expect(client.tokens.revoke('slc_secret')).rejects.toThrow('is no token id');
  });
});
