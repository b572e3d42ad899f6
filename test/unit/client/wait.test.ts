import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient, WaitTimeoutError } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer } from './api-server.ts';
import { problem, task } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;
const open = (headers: Record<string, string> = { 'retry-after': '0' }) =>
  answer(202, { done: false, task: task('a', 'running') }, headers);
const done = answer(200, { done: true, task: task('a', 'succeeded') });

beforeEach(async () => {
  server = await startApiServer();
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1 });
});
afterEach(() => server.close());

describe('wait', () => {
  it('resolves with the terminal task and its result', async () => {
    server.reply(done);
    expect(await client.wait('a')).toMatchObject({ state: 'succeeded', result: { key: 'b.jpg' } });
    expect(server.received[0]?.url).toBe('/v1/tasks/a/result?wait=25');
  });

  it('polls again until it is terminal, through failures between', async () => {
    server.reply(open(), cut, open(), done);
    expect(await client.wait('a')).toMatchObject({ state: 'succeeded' });
    expect(server.received).toHaveLength(4);
  });

  it('does not poll sooner than it is told', async () => {
    server.reply(open({ 'retry-after': '1' }), done);
    await client.wait('a');
    expect((server.received[1]?.at ?? 0) - (server.received[0]?.at ?? 0)).toBeGreaterThanOrEqual(995);
  });

  it('pauses between polls that are answered at once, even when told to come back at once', async () => {
    server.reply(open());
    const error = await client.wait('a', { timeoutSeconds: 1.2 }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WaitTimeoutError);
    expect(error).toMatchObject({ kind: 'wait_timeout', task: { id: 'a', state: 'running' } });
    expect(server.received.length).toBeLessThanOrEqual(6);
  });

  it('asks the platform to hold a poll no longer than its own time', async () => {
    server.reply(open(), done);
    await client.wait('a', { timeoutSeconds: 7.5 });
    expect(server.received[0]?.url).toContain('wait=7');
  });

  it('takes one last look at a time-out of zero', async () => {
    server.reply(done);
    expect(await client.wait('a', { timeoutSeconds: 0 })).toMatchObject({ state: 'succeeded' });
    expect(server.received[0]?.url).toContain('wait=0');
  });

  it('ends with what the API refuses', async () => {
    server.reply(answer(404, problem('not_found')));
    await expect(client.wait('a')).rejects.toMatchObject({ code: 'not_found' });
  });
});
