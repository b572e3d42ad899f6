import { describe, expect, it } from 'vitest';
import { createMemoryClock } from '../../../adapters/memory/clock.ts';
import { createMemoryQueues } from '../../../adapters/memory/queues.ts';
import { createMemoryRandom } from '../../../adapters/memory/random.ts';
import { createMemoryTaskStore } from '../../../adapters/memory/task-store.ts';
import { createMemoryTelemetry } from '../../../adapters/memory/telemetry.ts';
import { makeAttempt, makeHint, makeRow, NOW } from '../../contract/fixtures.ts';

describe('memory queues', () => {
  const QUEUE = { priority: 'normal', shard: 0 } as const;
  const make = (seed = 1) => {
    const clock = createMemoryClock(NOW);
    return { clock, queues: createMemoryQueues({ clock, random: createMemoryRandom(seed), visibilitySeconds: 30 }) };
  };
  const send = (queues: ReturnType<typeof make>['queues'], delaySeconds = 0) =>
    queues.send([{ queue: QUEUE, message: makeHint(), delaySeconds }]);

  it('count what is visible, in flight and delayed, and say when the next becomes visible', async () => {
    const { clock, queues } = make();
    await send(queues);
    await send(queues);
    await send(queues, 60);
    expect(queues.counts()).toEqual({ visible: 2, inFlight: 0, delayed: 1 });
    await queues.receive(1);
    expect(queues.counts(QUEUE)).toEqual({ visible: 1, inFlight: 1, delayed: 1 });
    expect(queues.counts({ priority: 'high', shard: 0 })).toEqual({ visible: 0, inFlight: 0, delayed: 0 });
    expect(queues.nextVisibleAt()).toBe(NOW + 30_000);
    clock.advance(60_000);
    expect(queues.counts()).toEqual({ visible: 3, inFlight: 0, delayed: 0 });
    expect(queues.nextVisibleAt()).toBeUndefined();
    expect(queues.bodies()).toHaveLength(3);
  });

  it('delete by the receipt of the latest receive alone', async () => {
    const { clock, queues } = make();
    await send(queues);
    const [first] = await queues.receive(1);
    clock.advance(30_000);
    const [second] = await queues.receive(1);
    await queues.remove(first?.receipt ?? '');
    if (first) await queues.giveBack(first, 0);
    expect(queues.counts()).toEqual({ visible: 0, inFlight: 1, delayed: 0 });
    await queues.remove(second?.receipt ?? '');
    expect(queues.bodies()).toEqual([]);
  });

  it('deliver in an order that the seed decides', async () => {
    const orderOf = async (seed: number): Promise<readonly string[]> => {
      const { queues } = make(seed);
      for (let n = 0; n < 20; n++) await send(queues);
      return (await queues.receive(20)).map(({ messageId }) => messageId);
    };
    expect(await orderOf(5)).toEqual(await orderOf(5));
    expect(await orderOf(5)).not.toEqual(await orderOf(6));
  });
});

describe('memory task store', () => {
  it('shows rows and archived generations to checks, as copies', async () => {
    const store = createMemoryTaskStore();
    const row = makeRow();
    await store.insert(row);
    await store.archive(row);
    expect(store.rows()).toEqual([row]);
    expect(store.archived()).toEqual([row]);
    expect(store.rows()[0]).not.toBe(store.rows()[0]);
  });

  it('forgets rows and attempts, by a clock, as soon as it may', async () => {
    const clock = createMemoryClock(NOW);
    const store = createMemoryTaskStore({ clock });
    const row = makeRow({ ttl: NOW / 1000 + 10 });
    await store.insert(row);
    await store.insert(makeRow({ id: 'stays' }));
    const attempts = [makeAttempt({ uid: row.uid }), makeAttempt({ uid: row.uid, fence: 2 })];
    for (const attempt of attempts) await store.putAttempt(row.tenant, row.id, attempt, NOW / 1000 + attempt.fence);
    await store.keepAttempts(row.tenant, row.id, row.uid, NOW / 1000 + 2, NOW / 1000 + 5);
    clock.advance(2_000);
    expect(await store.attempts(row.tenant, row.id, row.uid)).toEqual(attempts.slice(0, 1));
    clock.advance(3_000);
    expect(await store.attempts(row.tenant, row.id, row.uid)).toEqual([]);
    expect(await store.get(row.tenant, row.id)).toEqual(row);
    clock.advance(5_000);
    expect(await store.get(row.tenant, row.id)).toBeUndefined();
    expect((await store.scan(0, 1, undefined)).rows.map(({ id }) => id)).toEqual(['stays']);
    expect(store.rows().map(({ id }) => id)).toEqual(['stays']);
    expect(await store.insert(makeRow({ id: row.id }))).toMatchObject({ applied: true });
  });
});

describe('memory telemetry', () => {
  it('sums counts by name and type, and keeps values and lines', () => {
    const telemetry = createMemoryTelemetry();
    telemetry.count('task.failed', 'a');
    telemetry.count('task.failed', 'a', 2);
    telemetry.count('task.failed', 'b', 4);
    telemetry.count('settle.failed', undefined);
    telemetry.measure('backlog.age', 'a', 3);
    telemetry.measure('backlog.age', 'b', 1);
    telemetry.log('warn', 'odd', { tenant: 'acme' });
    expect([telemetry.total('task.failed', 'a'), telemetry.total('task.failed'), telemetry.total('none')]).toEqual([3, 7, 0]);
    expect([telemetry.measured('backlog.age', 'a'), telemetry.measured('backlog.age')]).toEqual([[3], [3, 1]]);
    expect(telemetry.lines()).toEqual([{ level: 'warn', message: 'odd', fields: { tenant: 'acme' } }]);
  });
});
