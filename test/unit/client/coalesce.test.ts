import { LIMITS, type BatchResult } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient, type SluiceClientOptions } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer, type Received } from './api-server.ts';
import { accepted, problem } from './samples.ts';

let server: ApiServer;
const clientOf = (options: Partial<SluiceClientOptions> = {}) =>
  new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 3, ...options });

beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

interface Body {
  readonly id?: string;
  readonly tasks?: readonly { id: string }[];
}
/** The ids of a call, whichever of the two it is. */
const idsOf = ({ body }: Received) => {
  const { id, tasks } = JSON.parse(body) as Body;
  return tasks ? tasks.map((task) => task.id) : [id ?? ''];
};
const calls = () => server.received.map((request) => [request.url, ...idsOf(request)]);

/** Answers each task by a function of its id, alone or in a batch. */
const perTask =
  (result: (id: string) => BatchResult): Parameters<ApiServer['reply']>[0] =>
  (response, request) => {
    const results = idsOf(request).map(result);
    const [first] = results;
    if (request.url.endsWith('/batch') || !first) return answer(200, { results })(response, request);
    return answer(first.ok ? 201 : first.error.status, first.ok ? first.task : first.error)(response, request);
  };
const acceptAll = perTask((id) => ({ ok: true, task: accepted(id) }));
const submitAll = (client: SluiceClient, ids: readonly string[]) => Promise.allSettled(ids.map((id) => client.submit({ type: 'x', id })));
const reasonOf = (end: PromiseSettledResult<unknown> | undefined): unknown => (end?.status === 'rejected' ? end.reason : undefined);

describe('submissions of the same moment', () => {
  it('go out as one call, and each caller gets its own answer', async () => {
    server.reply(perTask((id) => ({ ok: true, task: accepted(id, id === 'b') })));
    const client = clientOf();
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((id) => client.submit({ type: 'x', id, payload: id })));
    expect([a, b, c]).toEqual([accepted('a'), accepted('b', true), accepted('c')]);
    expect(calls()).toEqual([['/v1/tasks/batch', 'a', 'b', 'c']]);
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ tasks: [{ type: 'x', id: 'a', payload: 'a' }, {}, {}] });
  });

  it('are one plain call when there is one', async () => {
    server.reply(acceptAll);
    const client = clientOf();
    await client.submit({ type: 'x', id: 'a' });
    await client.submit({ type: 'x', id: 'b' });
    expect(calls()).toEqual([
      ['/v1/tasks', 'a'],
      ['/v1/tasks', 'b'],
    ]);
  });

  it('go each alone, and at once, when that is turned off', async () => {
    server.reply(acceptAll);
    await submitAll(clientOf({ coalesceMs: 0 }), ['a', 'b']);
    expect(calls().map(([url]) => url)).toEqual(['/v1/tasks', '/v1/tasks']);
    expect(() => clientOf({ coalesceMs: 1_001 })).toThrow('coalesceMs is 1001; give a number from 0 to 1000');
  });

  it('are of one client only', async () => {
    server.reply(acceptAll);
    await Promise.all([clientOf().submit({ type: 'x', id: 'a' }), clientOf().submit({ type: 'x', id: 'b' })]);
    expect(server.received).toHaveLength(2);
  });

  it('go at once when they are 500', async () => {
    server.reply(acceptAll);
    const began = Date.now();
    const client = clientOf({ coalesceMs: 1_000 });
    const ends = await submitAll(
      client,
      Array.from({ length: 1_000 }, (_, n) => `t${n}`),
    );
    expect(Date.now() - began).toBeLessThan(900);
    expect(ends.every((end, n) => end.status === 'fulfilled' && end.value.id === `t${n}`)).toBe(true);
    expect(server.received.map((request) => idsOf(request).length)).toEqual([500, 500]);
  });

  it('go before they are more than a call carries, in bytes', async () => {
    server.reply(acceptAll);
    const client = clientOf();
    // Three bytes a character in UTF-8; the last task fits a call of its own only.
    const payloads = [...Array.from({ length: 9 }, () => '€'.repeat(333_333)), 'x'.repeat(LIMITS.bodyBytes - 40)];
    const tasks = await Promise.all(payloads.map((payload, n) => client.submit({ type: 'x', id: `t${n}`, payload })));
    expect(tasks.map(({ id }) => id)).toEqual(payloads.map((_, n) => `t${n}`));
    for (const { body } of server.received) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(LIMITS.bodyBytes);
    expect(server.received.map((request) => idsOf(request).length).sort()).toEqual([1, 1, 4, 4]);
  });
});

describe('an error', () => {
  it('of one task is its caller’s alone', async () => {
    server.reply(perTask((id) => (id === 'b' ? { ok: false, error: problem('id_conflict') } : { ok: true, task: accepted(id) })));
    const ends = await submitAll(clientOf(), ['a', 'b', 'c']);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(reasonOf(ends[1])).toMatchObject({ name: 'ConflictError', code: 'id_conflict', problem: { detail: 'it is id_conflict' } });
    expect(server.received).toHaveLength(1);
  });

  it('that passes is repeated for that task alone, not sooner than it says, and with its id', async () => {
    let refusals = 2;
    server.reply(
      perTask((id) =>
        id === 'b' && refusals-- > 0
          ? { ok: false, error: problem('throttled', { retryAfterSeconds: 0.2 }) }
          : { ok: true, task: accepted(id) },
      ),
    );
    // The third try of b goes alone in its window, as a plain call that is answered 201.
    const ends = await submitAll(clientOf(), ['a', 'b', 'c']);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(calls()[0]).toEqual(['/v1/tasks/batch', 'a', 'b', 'c']);
    expect(calls().slice(1).flat()).not.toContain('a');
    expect((server.received[1]?.at ?? 0) - (server.received[0]?.at ?? 0)).toBeGreaterThanOrEqual(195);
  });

  it('that does not pass is told after the repeats', async () => {
    server.reply(perTask((id) => ({ ok: false, error: problem(id === 'a' ? 'unavailable' : 'throttled') })));
    const ends = await submitAll(clientOf({ retries: 2, maxRetryDelayMs: 0 }), ['a', 'b']);
    expect(ends.map(reasonOf)).toMatchObject([{ code: 'unavailable' }, { code: 'throttled' }]);
    expect(server.received).toHaveLength(3);
  });

  it('with a time that is too long is told at once', async () => {
    server.reply(perTask((id) => ({ ok: false, error: problem('throttled', { retryAfterSeconds: id === 'a' ? 61 : 0 }) })));
    const ends = await submitAll(clientOf({ retries: 1 }), ['a', 'b']);
    expect(ends.map(reasonOf)).toMatchObject([{ retryAfterSeconds: 61 }, { code: 'throttled' }]);
    expect(calls()[1]).toEqual(['/v1/tasks', 'b']);
  });

  it.each([
    ['refused', answer(401, { message: 'Unauthorized' }), { name: 'UnauthorizedError', code: 'unauthorized' }, 1],
    ['cut', cut, { kind: 'connection' }, 4],
    ['answered with too few results', answer(200, { results: [] }), { kind: 'schema_mismatch' }, 1],
  ])('of the whole call is that of each: %s', async (_, reply, error, tries) => {
    server.reply(reply);
    const ends = await submitAll(clientOf(), ['a', 'b']);
    expect(ends.map(reasonOf)).toMatchObject([error, error]);
    expect(server.received).toHaveLength(tries);
  });

  it('of the token is that of each', async () => {
    const token = () => Promise.reject(new Error('no token today'));
    const ends = await submitAll(clientOf({ token }), ['a', 'b']);
    expect(ends.map(reasonOf)).toMatchObject([{ message: 'no token today' }, { message: 'no token today' }]);
  });

  it('of a task that no call can carry is told before there is a call', async () => {
    server.reply(acceptAll);
    const client = clientOf();
    const good = client.submit({ type: 'x', id: 'a' });
    await expect(client.submit({ type: 'x', payload: 1n })).rejects.toMatchObject({ name: 'BadRequestError', code: 'bad_request' });
    expect(await good).toEqual(accepted('a'));
  });
});

describe('a signal', () => {
  const reason = new Error('enough');

  it('takes its own task out of a call that has not gone', async () => {
    server.reply(acceptAll);
    const client = clientOf();
    const controller = new AbortController();
    const others = submitAll(client, ['a', 'b']);
    const mine = client.submit({ type: 'x', id: 'mine' }, { signal: controller.signal });
    controller.abort(reason);
    await expect(mine).rejects.toBe(reason);
    expect((await others).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    expect(calls()).toEqual([['/v1/tasks/batch', 'a', 'b']]);
    await expect(client.submit({ type: 'x' }, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('leaves no call behind when it was the last that waited', async () => {
    server.reply(acceptAll);
    const client = clientOf();
    const controller = new AbortController();
    const mine = client.submit({ type: 'x', id: 'mine' }, { signal: controller.signal });
    controller.abort(reason);
    await expect(mine).rejects.toBe(reason);
    await client.submit({ type: 'x', id: 'a' });
    expect(calls()).toEqual([['/v1/tasks', 'a']]);
  });

  it('only ends the waiting for a call that has gone', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    server.reply(async (response, request) => {
      await held;
      await acceptAll(response, request);
    });
    const client = clientOf();
    const controller = new AbortController();
    const other = client.submit({ type: 'x', id: 'a' });
    const mine = client.submit({ type: 'x', id: 'mine' }, { signal: controller.signal });
    await expect.poll(() => server.received.length).toBe(1);
    controller.abort(reason);
    await expect(mine).rejects.toBe(reason);
    release();
    expect(await other).toEqual(accepted('a'));
  });

  it('ends a call that nobody waits for, and its repeats', async () => {
    server.reply(answer(429, problem('throttled'), { 'retry-after': '1' }), acceptAll);
    const client = clientOf();
    const controllers = [new AbortController(), new AbortController()];
    const ends = controllers.map(({ signal }, n) => client.submit({ type: 'x', id: `t${n}` }, { signal }).catch((error: unknown) => error));
    await expect.poll(() => server.received.length).toBe(1);
    for (const controller of controllers) controller.abort(reason);
    expect(await Promise.all(ends)).toEqual([reason, reason]);
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(server.received).toHaveLength(1);
  });

  it('ends the repeats of its task alone', async () => {
    server.reply(
      perTask((id) =>
        id === 'a' ? { ok: true, task: accepted(id) } : { ok: false, error: problem('throttled', { retryAfterSeconds: 30 }) },
      ),
    );
    const client = clientOf();
    const controller = new AbortController();
    const other = client.submit({ type: 'x', id: 'a' });
    const mine = client.submit({ type: 'x', id: 'mine' }, { signal: controller.signal });
    expect(await other).toEqual(accepted('a'));
    controller.abort(reason);
    await expect(mine).rejects.toBe(reason);
    expect(server.received).toHaveLength(1);
  });
});
