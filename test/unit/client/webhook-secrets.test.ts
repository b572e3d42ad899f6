import type { IssuedWebhookSecret } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer } from './api-server.ts';
import { accepted, problem } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;
beforeEach(async () => {
  server = await startApiServer();
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 3 });
});
afterEach(() => server.close());

const calls = () => server.received.map(({ method, url }) => `${method} ${url}`);
const issued: IssuedWebhookSecret = { id: 'whs_0123456789abcdef', secret: 'whsec_x', createdAt: '2026-01-01T00:00:00.000Z' };

describe('webhook secrets', () => {
  it('are made, listed and ended', async () => {
    const { secret: _, ...view } = issued;
    server.reply(answer(201, issued), answer(201, issued), answer(200, { secrets: [view] }), answer(204, ''));
    expect(await client.webhookSecrets.create()).toEqual(issued);
    expect(await client.webhookSecrets.create({ overlapSeconds: 60 })).toEqual(issued);
    expect(await client.webhookSecrets.list()).toEqual([view]);
    expect(await client.webhookSecrets.delete(issued.id)).toBeUndefined();
    expect(calls()).toEqual([
      'POST /v1/webhook-secrets',
      'POST /v1/webhook-secrets',
      'GET /v1/webhook-secrets',
      `DELETE /v1/webhook-secrets/${issued.id}`,
    ]);
    expect(server.received.slice(0, 2).map(({ body }) => body)).toEqual(['{}', '{"overlapSeconds":60}']);
  });

  it('are made once: only a refusal before anything was done is repeated', async () => {
    server.reply(answer(429, problem('throttled'), { 'retry-after': '0' }), answer(201, issued));
    expect(await client.webhookSecrets.create()).toEqual(issued);
    server.reply(cut);
    await expect(client.webhookSecrets.create()).rejects.toMatchObject({ name: 'ConnectionError' });
    expect(calls()).toHaveLength(3);
  });

  it('are not ended by what is no id of one, nor the current one', async () => {
    await expect(client.webhookSecrets.delete('../tokens')).rejects.toThrow('is no webhook secret id');
    expect(calls()).toEqual([]);
    server.reply(answer(409, problem('state_conflict')));
    await expect(client.webhookSecrets.delete(issued.id)).rejects.toMatchObject({ name: 'ConflictError', code: 'state_conflict' });
  });
});

it('a submission says who is told', async () => {
  server.reply(answer(201, accepted('a')));
  const notify = { webhook: { url: 'https://hooks.acme.example/' }, queue: null, events: [] };
  await new SluiceClient({ baseUrl: server.baseUrl, token: 't', coalesceMs: 0 }).submit({ type: 'echo', id: 'a', notify });
  expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ notify });
});
