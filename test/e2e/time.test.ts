import { waitResponseSchema, type TaskView } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { call, clientOf, finished, fresh, tokenOf, type Client } from './target.ts';

const ms = (time: string | undefined): number => (time === undefined ? NaN : Date.parse(time));

function claimOf(task: TaskView): number {
  return ms(task.timeline.attempts[0]?.claimedAt);
}

describe.concurrent('time', () => {
  const tenant = fresh('timely');
  let client: Client;
  beforeAll(async () => {
    client = await clientOf(tenant);
  });

  test('a delayed task does not start early', async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, delaySeconds: 3 });
    expect(await client.get(id)).toMatchObject({ state: 'waiting', attempts: 0 });

    const task = await finished(client, id);

    expect(task).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(ms(task.runAt) - ms(task.timeline.acceptedAt)).toBe(3_000);
    expect(claimOf(task)).toBeGreaterThanOrEqual(ms(task.runAt));
  });

  test('a task for a time that has passed starts now', async () => {
    const { id } = await client.submit({ type: 'unruly-wait', payload: { do: 'ok' }, runAt: '2020-01-01T00:00:00Z' });

    expect(await finished(client, id)).toMatchObject({ state: 'succeeded' });
  });

  test('a task for next year waits', async () => {
    const runAt = new Date(Date.now() + 365 * 86_400_000).toISOString();
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, runAt });

    expect(await client.get(id)).toMatchObject({ state: 'waiting', runAt, timeline: { attempts: [] } });
  });

  test('a task that has not started by its expiry ends as expired', async () => {
    const start = Date.now() + 3_000;
    const runAt = new Date(start).toISOString();
    // Nobody looks at it within a millisecond.
    const expiresAt = new Date(start + 1).toISOString();
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, runAt, expiresAt });

    const task = await finished(client, id);

    expect(task).toMatchObject({ state: 'expired', reason: 'expired', expiresAt, attempts: 0, timeline: { attempts: [] } });
    expect(ms(task.timeline.endedAt)).toBeGreaterThanOrEqual(ms(expiresAt));
  });

  test('the timeline tells every step in order', async () => {
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'throw-once' } });

    const { timeline } = await finished(client, id);

    expect(timeline.attempts).toHaveLength(2);
    const steps = [
      timeline.acceptedAt,
      ...timeline.attempts.flatMap(({ claimedAt, settledAt }) => [claimedAt, settledAt]),
      timeline.endedAt,
    ].map(ms);
    expect(steps.every(Number.isFinite)).toBe(true);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(ms(timeline.hintedAt)).toBeLessThanOrEqual(steps[1] ?? 0);
  });

  test('a wait is answered 200 with the result once the task has ended, and 202 while it has not', async () => {
    const token = await tokenOf(tenant);
    const result = async (id: string, seconds: number) => {
      const response = await call(`/v1/tasks/${id}/result?wait=${seconds}`, { token });
      return { status: response.status, ...waitResponseSchema.parse(await response.json()) };
    };
    const { id } = await client.submit({ type: 'unruly', payload: { do: 'slow', ms: 2_000, key: 'slow' } });
    const { id: later } = await client.submit({ type: 'unruly', payload: { do: 'ok' }, delaySeconds: 600 });

    const [early, inTime] = await Promise.all([result(later, 1), client.wait(id)]);
    expect(early).toMatchObject({ status: 202, done: false, task: { state: 'waiting' } });
    expect(inTime).toMatchObject({ state: 'succeeded', result: { key: 'slow' } });
    expect(await result(id, 25)).toMatchObject({ status: 200, done: true, task: { state: 'succeeded', result: { key: 'slow' } } });
  });
});
