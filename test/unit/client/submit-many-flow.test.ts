import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, startApiServer, type ApiServer, type Received } from './api-server.ts';
import { accepted, problem } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;

beforeEach(async () => {
  server = await startApiServer();
  server.reply(acceptAll);
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 3 });
});
afterEach(() => server.close());

const tasksOf = (request: Received) => (JSON.parse(request.body) as { tasks: { id: string }[] }).tasks;
const acceptAll: Parameters<ApiServer['reply']>[0] = (response, request) =>
  answer(200, { results: tasksOf(request).map(({ id }) => ({ ok: true, task: accepted(id) })) })(response, request);

/** A source that notes how far it was read and whether it was closed. */
function watched(count: number, options: { readonly fail?: Error } = {}) {
  const seen = { read: 0, closed: false };
  function* source() {
    try {
      for (; seen.read < count; seen.read++) yield { type: 'x', id: `t${seen.read}` };
      if (options.fail) throw options.fail;
    } finally {
      seen.closed = true;
    }
  }
  return { seen, source };
}
const asAsync = async function* <T>(source: Iterable<T>) {
  yield* source;
};
/** A source that gives one task and then nothing, for ever. */
async function* stuck() {
  yield { type: 'x', id: 'only' };
  await new Promise(() => undefined);
}

describe('the source', () => {
  it.each([
    ['iterable', (source: Iterable<{ type: string; id: string }>) => source],
    ['async iterable', asAsync],
  ])('is read only as fast as results are taken: %s', async (_, kind) => {
    const { seen, source } = watched(10_000);
    const controller = new AbortController();
    let told = 0;
    const call = client.submitMany(kind(source()), {
      chunkTasks: 10,
      concurrency: 2,
      signal: controller.signal,
      // The first result is never done with.
      onResult: () =>
        ++told === 1 ? new Promise((_, reject) => controller.signal.addEventListener('abort', () => reject(new Error()))) : undefined,
    });
    await expect.poll(() => server.received.length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(told).toBe(1);
    // Two chunks are on their way, and the one task was read that opens the third.
    expect(seen.read).toBeLessThanOrEqual(21);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
    expect(seen.closed).toBe(true);
    expect(server.received).toHaveLength(2);
  });

  it.each([
    ['iterable', (source: Iterable<{ type: string; id: string }>) => source],
    ['async iterable', asAsync],
  ])('ends the call with its error, after the calls under way: %s', async (_, kind) => {
    const { source } = watched(3, { fail: new Error('the file ended early') });
    const told: string[] = [];
    const call = client.submitMany(kind(source()), { chunkTasks: 1, onResult: ({ id }) => void told.push(id) });
    await expect(call).rejects.toThrow('the file ended early');
    const sent = server.received.flatMap((request) => tasksOf(request).map(({ id }) => id));
    expect(told.sort()).toEqual(sent.sort());
    const before = server.received.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.received).toHaveLength(before);
  });

  it('is closed when the signal is aborted, and nothing more is sent', async () => {
    const { seen, source } = watched(100);
    const controller = new AbortController();
    const call = client.submitMany(source(), {
      chunkTasks: 1,
      concurrency: 1,
      signal: controller.signal,
      onProgress: ({ done }) => done === 5 && controller.abort(new Error('enough')),
    });
    await expect(call).rejects.toThrow('enough');
    expect(server.received).toHaveLength(5);
    expect(seen.closed).toBe(true);
  });

  it('is not waited for when the signal is aborted', async () => {
    const controller = new AbortController();
    const call = client.submitMany(stuck(), { chunkTasks: 1, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(call).rejects.toThrow('enough');
  });

  it('is not opened by a signal that was aborted before', async () => {
    const { seen, source } = watched(1);
    await expect(client.submitMany(source(), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(seen).toEqual({ read: 0, closed: false });
  });
});

describe('onResult', () => {
  it('is told one at a time, and the next only when it is done', async () => {
    let open = 0;
    let most = 0;
    const many = await client.submitMany(watched(40).source(), {
      chunkTasks: 5,
      onResult: async () => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, 1));
        open -= 1;
      },
    });
    expect(many.done).toBe(40);
    expect(most).toBe(1);
  });

  it('is told what has ended while the rest is repeated', async () => {
    let refusals = 1;
    server.reply((response, request) => {
      const results = tasksOf(request).map(({ id }) =>
        id === 't0' && refusals-- > 0 ? { ok: false, error: problem('throttled') } : { ok: true, task: accepted(id) },
      );
      return answer(200, { results })(response, request);
    });
    const told: number[] = [];
    await client.submitMany(watched(3).source(), { onResult: (_, index) => void told.push(index) });
    expect(told).toEqual([1, 2, 0]);
  });

  it('ends the call with what it throws, and is told nothing more', async () => {
    const { seen, source } = watched(1_000);
    let told = 0;
    const call = client.submitMany(source(), {
      chunkTasks: 2,
      onResult: () => {
        told += 1;
        if (told === 3) throw new Error('the disk is full');
      },
    });
    await expect(call).rejects.toThrow('the disk is full');
    expect(told).toBe(3);
    expect(seen.closed).toBe(true);
    expect(seen.read).toBeLessThan(30);
  });

  it('that throws ends the pauses of other calls', async () => {
    server.reply((response, request) => {
      const [first] = tasksOf(request);
      const error = problem('throttled', { retryAfterSeconds: 50 });
      const result = first?.id === 't0' ? { ok: false, error } : { ok: true, task: accepted(first?.id ?? '') };
      return answer(200, { results: [result] })(response, request);
    });
    const onResult = () => {
      throw new Error('the disk is full');
    };
    await expect(client.submitMany(watched(10).source(), { chunkTasks: 1, onResult })).rejects.toThrow('the disk is full');
  });
});
