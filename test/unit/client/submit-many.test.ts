import { LIMITS, type BatchResult } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer, type Received } from './api-server.ts';
import { accepted, problem } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;

beforeEach(async () => {
  server = await startApiServer();
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 3 });
});
afterEach(() => server.close());

const tasksOf = (request: Received | undefined) => (JSON.parse(request?.body ?? '{}') as { tasks: { id: string }[] }).tasks;

/** Answers each task of a batch by a function of its id. */
const perTask =
  (result: (id: string) => BatchResult): Parameters<ApiServer['reply']>[0] =>
  (response, request) =>
    answer(200, { results: tasksOf(request).map(({ id }) => result(id)) })(response, request);
const acceptAll = perTask((id) => ({ ok: true, task: accepted(id) }));

function* numbered(count: number, payload: unknown = null) {
  for (let n = 0; n < count; n++) yield { type: 'x', id: `t${n}`, payload };
}

describe('submitMany', () => {
  it('submits any number in chunks of 500, tells each result and the progress, and keeps none', async () => {
    server.reply(acceptAll);
    const progress: number[] = [];
    const results = new Map<number, string>();
    const many = await client.submitMany(numbered(1_201), {
      onProgress: ({ done }) => progress.push(done),
      onResult: (item, index) => void results.set(index, item.id),
    });
    expect(many).toEqual({ done: 1_201, accepted: 1_201, failed: 0, deduplicated: 0, failures: [] });
    expect([...results].sort(([a], [b]) => a - b)).toEqual([...numbered(1_201)].map(({ id }, index) => [index, id]));
    expect(server.received.map((r) => tasksOf(r).length).sort((a, b) => a - b)).toEqual([201, 500, 500]);
    expect(server.received[0]?.url).toBe('/v1/tasks/batch');
    expect(progress.at(-1)).toBe(1_201);
  });

  it('keeps each body below the limit, in bytes', async () => {
    server.reply(acceptAll);
    // Three bytes a character in UTF-8.
    const { accepted: count } = await client.submitMany(numbered(9, '€'.repeat(333_333)));
    expect(count).toBe(9);
    expect(server.received.length).toBeGreaterThanOrEqual(3);
    for (const { body } of server.received) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(LIMITS.bodyBytes);
  });

  it('takes an async iterable and holds the concurrency', async () => {
    let open = 0;
    let most = 0;
    server.reply(async (response, request) => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 10));
      open -= 1;
      await acceptAll(response, request);
    });
    async function* source() {
      yield* numbered(40);
    }
    const many = await client.submitMany(source(), { concurrency: 3, chunkTasks: 2 });
    expect(many.accepted).toBe(40);
    expect(most).toBe(3);
    expect(server.received).toHaveLength(20);
  });

  it('submits nothing for an empty source', async () => {
    expect(await client.submitMany([])).toEqual({ done: 0, accepted: 0, deduplicated: 0, failed: 0, failures: [] });
    expect(server.received).toHaveLength(0);
  });

  it('repeats only the items that were refused for now, with their ids', async () => {
    const refusals = new Map([['t1', 2]]);
    server.reply(
      perTask((id) => {
        const left = refusals.get(id) ?? 0;
        refusals.set(id, left - 1);
        return left > 0 ? { ok: false, error: problem('throttled') } : { ok: true, task: accepted(id, id === 't0') };
      }),
    );
    const many = await client.submitMany(numbered(3));
    expect(many).toMatchObject({ accepted: 3, deduplicated: 1, failed: 0 });
    expect(server.received.map((r) => tasksOf(r).map((t) => t.id))).toEqual([['t0', 't1', 't2'], ['t1'], ['t1']]);
  });

  it('gives the same ULID to every repeat of a submission without id', async () => {
    server.reply(
      cut,
      perTask(() => ({ ok: false, error: problem('unavailable') })),
      acceptAll,
    );
    const told: string[] = [];
    await client.submitMany([{ type: 'x' }], { onResult: ({ id }) => void told.push(id) });
    const ids = server.received.map((r) => tasksOf(r)[0]?.id);
    expect(ids).toHaveLength(3);
    expect(new Set(ids)).toEqual(new Set(told));
  });

  it('tells the failures of items and goes on with the others', async () => {
    server.reply(perTask((id) => (id === 't1' ? { ok: false, error: problem('unknown_type') } : { ok: true, task: accepted(id) })));
    const told: [number, boolean][] = [];
    const {
      failures,
      failed,
      accepted: count,
    } = await client.submitMany(
      [...numbered(2), { type: 'x', payload: 1n }, { type: 'x', id: 'large', payload: 'x'.repeat(5_000_000) }, { type: 'x', id: 'last' }],
      { onResult: ({ ok }, index) => void told.push([index, ok]) },
    );
    expect({ failed, count }).toEqual({ failed: 3, count: 2 });
    expect(told.sort(([a], [b]) => a - b)).toEqual([
      [0, true],
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    expect([...failures].sort((a, b) => a.index - b.index)).toMatchObject([
      { index: 1, id: 't1', error: { code: 'unknown_type', status: 400 } },
      { index: 2, id: '', error: { name: 'BadRequestError', code: 'bad_request' } },
      { index: 3, id: 'large', error: { name: 'PayloadTooLargeError', code: 'body_too_large' } },
    ]);
  });

  it('keeps the first thousand failures and counts all', async () => {
    server.reply(perTask(() => ({ ok: false, error: problem('unknown_type') })));
    let told = 0;
    const { failures, failed } = await client.submitMany(numbered(1_500), { onResult: () => void (told += 1) });
    expect([failures.length, failed, told]).toEqual([1_000, 1_500, 1_500]);
  });

  it('goes on with a tenant that is held to a rate for as long as some are taken each time', async () => {
    let calls = 0;
    server.reply((response, received) => {
      calls += 1;
      let room = 2;
      return perTask((id) =>
        room-- > 0 ? { ok: true, task: accepted(id) } : { ok: false, error: problem('rate_limited', { retryAfterSeconds: 0 }) },
      )(response, received);
    });
    // More calls than one may be repeated, each with those alone that were refused.
    const result = await client.submitMany(numbered(21));
    expect(result).toMatchObject({ accepted: 21, failed: 0 });
    expect(calls).toBe(11);
    expect(server.received.map((r) => tasksOf(r).length)).toEqual([21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1]);
  });

  it('gives up on an item after its repeats, waiting as long as it is told', async () => {
    server.reply(perTask(() => ({ ok: false, error: problem('throttled', { retryAfterSeconds: 0.01 }) })));
    const { failures } = await client.submitMany(numbered(1));
    expect(failures[0]).toMatchObject({ error: { code: 'throttled', retryAfterSeconds: 0.01 } });
    expect(server.received).toHaveLength(4);
  });

  it.each([
    ['refused', answer(401, { message: 'Unauthorized' }), { kind: 'api', code: 'unauthorized' }],
    ['cut', cut, { kind: 'connection' }],
    ['answered with too few results', answer(200, { results: [] }), { kind: 'schema_mismatch' }],
  ])('makes the failure of a whole call that of its tasks: %s', async (_, reply, error) => {
    server.reply(reply);
    const { failures } = await client.submitMany(numbered(2));
    expect(failures).toMatchObject([
      { index: 0, id: 't0', error },
      { index: 1, id: 't1', error },
    ]);
  });

  it('ends the item that is told to wait too long, and repeats the others', async () => {
    let first = true;
    server.reply(
      perTask((id) => {
        const wait = { t0: 61, t1: 0 }[id];
        return first && wait !== undefined
          ? { ok: false, error: problem('throttled', { retryAfterSeconds: wait }) }
          : { ok: true, task: accepted(id) };
      }),
    );
    const { failures } = await client.submitMany(numbered(3), { onResult: () => void (first = false) });
    expect(failures).toMatchObject([{ id: 't0', error: { retryAfterSeconds: 61 } }]);
    expect(server.received.map((r) => tasksOf(r).map((t) => t.id))).toEqual([['t0', 't1', 't2'], ['t1']]);
  });

  it('says which option is wrong', async () => {
    await expect(client.submitMany([], { concurrency: 0 })).rejects.toThrow('concurrency is 0');
    await expect(client.submitMany([], { chunkTasks: 501 })).rejects.toThrow('1 to 500');
  });
});
