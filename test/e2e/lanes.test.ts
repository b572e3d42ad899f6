import type { TaskView } from '@sluice/contracts';
import { describe, expect, test } from 'vitest';
import { clientOf, finished, fresh, type Client } from './target.ts';

/** The lane of `narrow` holds two. */
const NARROW = 2;

describe.concurrent('a full lane', () => {
  test('lets all its tasks through, never more at once than it holds', async () => {
    const client = await clientOf(fresh('crowd'));
    const ids = Array.from({ length: 12 }, (_, n) => fresh(`queued-${n}`));
    await client.submitMany(ids.map((id) => ({ type: 'narrow', id, payload: { do: 'slow', ms: 300 } })));

    const tasks = await allFinished(client, ids);

    expect(tasks.map(({ state }) => state)).toEqual(ids.map(() => 'succeeded'));
    // Waiting for a permit is no attempt.
    expect(tasks.map(({ attempts, throttled, lost }) => [attempts, throttled, lost])).toEqual(ids.map(() => [1, 0, 0]));
    expect(mostAtOnce(tasks)).toBeLessThanOrEqual(NARROW);
  });

  test('lets a task of high priority pass those that wait before it', async () => {
    const client = await clientOf(fresh('crowd'));
    const low = Array.from({ length: 10 }, (_, n) => fresh(`low-${n}`));
    await client.submitMany(low.map((id) => ({ type: 'narrow', id, priority: 'low', payload: { do: 'slow', ms: 700 } })));

    const { id } = await client.submit({ type: 'narrow', priority: 'high', payload: { do: 'ok' } });
    const [urgent, others] = [await finished(client, id), await allFinished(client, low)];

    const claimed = (task: TaskView): string => task.timeline.attempts[0]?.claimedAt ?? '';
    expect(others.filter((task) => claimed(task) > claimed(urgent)).length).toBeGreaterThanOrEqual(3);
  });

  test("does not hold up another tenant's lane", async () => {
    const [crowd, single] = [await clientOf(fresh('crowd')), await clientOf(fresh('single'))];
    const ids = Array.from({ length: 10 }, (_, n) => fresh(`crowded-${n}`));
    await crowd.submitMany(ids.map((id) => ({ type: 'narrow', id, payload: { do: 'slow', ms: 1_000 } })));

    const { id } = await single.submit({ type: 'narrow', payload: { do: 'ok' } });
    const task = await finished(single, id);

    expect(task).toMatchObject({ state: 'succeeded', attempts: 1 });
    const crowded = await allFinished(crowd, ids);
    const last =
      crowded
        .map(({ timeline }) => timeline.endedAt ?? '')
        .toSorted()
        .at(-1) ?? '';
    expect((task.timeline.endedAt ?? '') < last).toBe(true);
  });
});

async function allFinished(client: Client, ids: readonly string[]): Promise<TaskView[]> {
  return Promise.all(ids.map((id) => finished(client, id)));
}

/** From the timelines: a permit is taken before the claim and given back after the end. */
function mostAtOnce(tasks: readonly TaskView[]): number {
  const changes = tasks
    .flatMap(({ timeline }) => timeline.attempts)
    .flatMap(({ claimedAt = '', settledAt = '' }) => [
      { at: Date.parse(claimedAt), by: 1 },
      { at: Date.parse(settledAt), by: -1 },
    ])
    // What ends in the same millisecond ended before.
    .toSorted((a, b) => a.at - b.at || a.by - b.by);
  let now = 0;
  return Math.max(...changes.map(({ by }) => (now += by)));
}
