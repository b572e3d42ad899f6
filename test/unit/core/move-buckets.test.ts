import { describe, expect, it } from 'vitest';
import { MINUTE_MS, minuteOf } from '../../../core/hints/timing.ts';
import { moveBuckets } from '../../../core/timers/move-buckets.ts';
import { faulty, traced } from '../../helpers/faults.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld, type World } from '../../helpers/world.ts';

const NOW_MINUTE = minuteOf(T0);

/** A world whose mover has stood still for so many minutes, with so many tasks due in each. */
async function afterOutage(minutes: number, tasksIn: (minute: number) => number): Promise<World> {
  const world = createWorld();
  await moveBuckets(world.deps, world.clock.now(), Infinity);
  for (let n = 0; n < minutes; n++) {
    const count = tasksIn(n);
    const runAt = new Date(T0 + (n + 20) * MINUTE_MS).toISOString();
    for (let from = 0; from < count; from += 500) {
      const batch = Array.from({ length: Math.min(500, count - from) }, (_, i) => ({ type: 'echo', id: `m${n}-${from + i}`, runAt }));
      await world.submit('a', ...batch);
    }
  }
  world.clock.advance((minutes + 20) * MINUTE_MS);
  return world;
}

const hinted = (world: World): number =>
  world.queue.bodies().reduce((sum, body) => sum + (JSON.parse(body) as { tasks: unknown[] }).tasks.length, 0);

describe('moving buckets', () => {
  it('makes up for a day in a few rounds, and hints each task once', async () => {
    const world = await afterOutage(1_440, (n) => (n % 10 === 0 ? 3 : 0));
    const { deps, calls } = traced(world.deps);

    const { moved, lateMs } = await moveBuckets(deps, world.clock.now(), Infinity);

    expect(moved).toBe(144 * 3);
    expect(hinted(world)).toBe(144 * 3);
    expect(lateMs).toBe(1_458 * MINUTE_MS);
    // 1 + 2 + 4 + … + 64 + 64 …: 28 rounds in the place of 1,460, in each of four shards.
    expect(calls.filter(({ at }) => at === 'buckets.advance')).toHaveLength(4 * 28);
    for (const shard of [0, 1, 2, 3]) expect(await world.deps.buckets.cursor(shard)).toBe(minuteOf(world.clock.now()) + 1);
  });

  it('in time moves one minute with one read and one move of the cursor in each shard', async () => {
    const world = await afterOutage(0, () => 0);
    await moveBuckets(world.deps, world.clock.now(), Infinity);
    world.clock.advance(MINUTE_MS);
    const { deps, calls } = traced(world.deps);

    await moveBuckets(deps, world.clock.now(), Infinity);

    expect(calls.map(({ at }) => at).sort()).toEqual(
      ['buckets.advance', 'buckets.cursor', 'buckets.read'].flatMap((at) => Array<string>(4).fill(at)),
    );
  });

  it('takes full minutes one by one, so that the cursor moves on however little time there is', async () => {
    const world = await afterOutage(12, (n) => (n < 6 ? 0 : 10_000));
    const most = new Map<number, number>();
    let open = 0;
    const read: World['deps']['buckets']['read'] = async function* (minute, shard) {
      if (shard === 0) most.set(minute, ++open);
      try {
        yield* world.deps.buckets.read(minute, shard);
      } finally {
        if (shard === 0) open -= 1;
      }
    };

    const { moved } = await moveBuckets({ ...world.deps, buckets: { ...world.deps.buckets, read } }, world.clock.now(), Infinity);

    expect(moved).toBe(60_000);
    // Rounds of 1, 2, 4, 8 and 16 come to the first full ones; after that each is alone until they are over.
    expect([...most.values()].at(-1)).toBe(1);
  });

  it('stays before the first minute that failed, and goes beyond those before it', async () => {
    const world = await afterOutage(40, () => 1);
    const bad = NOW_MINUTE + 30;
    const ports = faulty(world.deps, ({ at, args }) => (at === 'buckets.read' && args[0] === bad && args[1] === 2 ? 'fail' : 'none'));

    await expect(moveBuckets(ports, world.clock.now(), Infinity)).rejects.toThrow();

    expect(await world.deps.buckets.cursor(2)).toBe(bad - 1);
    expect(await world.deps.buckets.cursor(1)).toBe(minuteOf(world.clock.now()) + 1);
    await moveBuckets(world.deps, world.clock.now(), Infinity);
    const named = new Set(
      world.queue.bodies().flatMap((body) => (JSON.parse(body) as { tasks: { id: string }[] }).tasks.map(({ id }) => id)),
    );
    expect(named.size).toBe(40);
  });

  it('ends at its deadline and goes on from there the next time', async () => {
    const world = await afterOutage(600, () => 0);
    const clock = { now: () => world.clock.now() };
    const deps = faulty(world.deps, ({ at }) => {
      if (at === 'buckets.advance') world.clock.advance(1_000);
      return 'none';
    });
    const start = world.clock.now();

    await moveBuckets({ ...deps, clock }, start, start + 10_000);
    const reached = await world.deps.buckets.cursor(0);
    expect(reached).toBeLessThan(minuteOf(start));
    expect(reached).toBeGreaterThan(NOW_MINUTE);
    await moveBuckets(world.deps, start, Infinity);
    expect(await world.deps.buckets.cursor(0)).toBe(minuteOf(start) + 1);
  });
});

describe('the second of a hint', () => {
  it('is kept to a quarter, whatever part of a second its mover runs in', async () => {
    for (const lateMs of [0, 130, 777, 999, 57_777]) {
      const started: [number, number][] = [];
      const world = createWorld({
        handlers: { echo: ({ sluice }) => void started.push([Number(sluice.task.slice(1)), world.clock.now()]) },
      });
      await moveBuckets(world.deps, world.clock.now(), Infinity);
      const due = [0, 1, 249, 250, 251, 500, 640, 750, 751, 998, 999].map((ms) => T0 + 30 * MINUTE_MS + ms);
      await world.submit('a', ...due.map((at) => ({ type: 'echo', id: `t${at}`, runAt: new Date(at).toISOString() })));
      world.clock.set(T0 + 29 * MINUTE_MS + lateMs);

      await moveBuckets({ ...world.deps, timer: inTurn(world) }, world.clock.now(), Infinity);
      await world.run();

      const late = started.map(([at, start]) => start - at);
      expect(late).toHaveLength(due.length);
      expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...late)).toBeLessThanOrEqual(250);
    }
  });
});

/** Wakes sleepers in the order of time, the clock being then when it should be. */
function inTurn(world: World): { sleep: (ms: number) => Promise<void> } {
  const sleepers: { at: number; wake: () => void }[] = [];
  const wakeNext = (): void => {
    sleepers.sort((a, b) => a.at - b.at);
    const next = sleepers.shift();
    if (!next) return;
    world.clock.set(next.at);
    next.wake();
    setImmediate(wakeNext);
  };
  return {
    sleep: (ms) =>
      new Promise((wake) => {
        if (sleepers.push({ at: world.clock.now() + ms, wake }) === 1) setImmediate(wakeNext);
      }),
  };
}
