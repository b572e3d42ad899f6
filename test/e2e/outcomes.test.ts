import type { TaskView } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { clientOf, finished, fresh, type Client } from './target.ts';

/** The same function behind both starters: nothing but the way of an attempt differs. */
describe.concurrent.each([{ type: 'unruly' }, { type: 'unruly-wait' }])('an attempt of $type', ({ type }) => {
  let client: Client;
  beforeAll(async () => {
    client = await clientOf(fresh(type));
  });

  async function run(payload: { do: string; key?: string }, options: { retry?: { maxAttempts: number } } = {}): Promise<TaskView> {
    const { id } = await client.submit({ type, payload, ...options });
    return finished(client, id);
  }

  test('succeeds with its result', async () => {
    const task = await run({ do: 'ok', key: 'k' });

    expect(task).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0, throttled: 0, result: { did: 'ok', attempt: 1, key: 'k' } });
    expect(task.error).toBeUndefined();
    expect(task.timeline.attempts).toMatchObject([{ outcome: 'succeeded' }]);
  });

  test('fails once, is tried again and succeeds', async () => {
    const task = await run({ do: 'throw-once' });

    expect(task).toMatchObject({ state: 'succeeded', attempts: 2, result: { did: 'throw-once', attempt: 2 } });
    expect(task.timeline.attempts).toMatchObject([
      { outcome: 'retryable', error: { name: 'Error', message: 'the first attempt fails' } },
      { outcome: 'succeeded' },
    ]);
  });

  test('fails every time until its attempts are used up; input and attempts are kept', async () => {
    const failed = await run({ do: 'throw', key: 'kept' });
    const task = await client.get(failed.id, { include: ['payload'] });

    expect(task).toMatchObject({
      state: 'failed',
      reason: 'attempts_exhausted',
      attempts: 3,
      error: { message: 'every attempt fails' },
      payload: { do: 'throw', key: 'kept' },
    });
    expect(task.timeline.attempts.map(({ outcome }) => outcome)).toEqual(['retryable', 'retryable', 'retryable']);
    const fences = task.timeline.attempts.map(({ fence }) => fence);
    expect(fences).toEqual(fences.toSorted((a, b) => a - b));
  });

  test('fails for good at the first try when it says so', async () => {
    const task = await run({ do: 'fatal' });

    expect(task).toMatchObject({ state: 'failed', reason: 'fatal', attempts: 1, error: { name: 'FatalError' } });
  });

  test('is throttled free of charge', async () => {
    const task = await run({ do: 'throttle-once' }, { retry: { maxAttempts: 1 } });

    expect(task).toMatchObject({ state: 'succeeded', attempts: 1, throttled: 1 });
    expect(task.timeline.attempts.map(({ outcome }) => outcome)).toEqual(['throttled', 'succeeded']);
  });

  test('ends its process: an outcome like any other failure', async () => {
    const task = await run({ do: 'exit' }, { retry: { maxAttempts: 2 } });

    expect(task).toMatchObject({ state: 'failed', reason: 'attempts_exhausted', attempts: 2, lost: 0 });
  });

  test('hangs and is ended by its time-out', async () => {
    const task = await run({ do: 'hang' }, { retry: { maxAttempts: 1 } });

    expect(task).toMatchObject({ state: 'failed', reason: 'attempts_exhausted', attempts: 1, lost: 0 });
    expect(task.error?.message).toMatch(/timed out/i);
  });

  test('runs out of memory', async () => {
    const task = await run({ do: 'oom' }, { retry: { maxAttempts: 1 } });

    expect(task).toMatchObject({ state: 'failed', reason: 'attempts_exhausted', attempts: 1, lost: 0 });
  });

  test('returns more than an answer can hold', async () => {
    const task = await run({ do: 'huge' }, { retry: { maxAttempts: 1 } });

    expect(task).toMatchObject({ state: 'failed', attempts: 1, lost: 0 });
    expect(task.error?.message).toMatch(/size|large|payload/i);
  });

  test('returns an object inside itself', async () => {
    const task = await run({ do: 'circular' }, { retry: { maxAttempts: 1 } });

    expect(task).toMatchObject({ state: 'failed', attempts: 1, lost: 0 });
    expect(task.error?.message).toMatch(/circular|stringify|died/i);
  });

  test('prints a hundred megabytes and does its work all the same', async () => {
    const task = await run({ do: 'chatty' }, { retry: { maxAttempts: 3 } });

    expect(task).toMatchObject({ state: 'succeeded', result: { did: 'chatty' } });
  });

  test('throws what is no error', async () => {
    const task = await run({ do: 'throw-string' }, { retry: { maxAttempts: 1 } });

    expect(task).toMatchObject({ state: 'failed', attempts: 1 });
    expect(task.error?.message).toContain('not an error, a string');
  });

  test('fails and frees its id, which then is a new task', async () => {
    const id = fresh('again');
    const failed = await client.submit({ type, id, payload: { do: 'fatal' } });
    await finished(client, id);

    const next = await client.submit({ type, id, payload: { do: 'ok' } });

    expect(next).toMatchObject({ id, deduplicated: false });
    expect(next.uid).not.toBe(failed.uid);
    expect(await finished(client, id)).toMatchObject({ uid: next.uid, state: 'succeeded', attempts: 1 });
  });
});
