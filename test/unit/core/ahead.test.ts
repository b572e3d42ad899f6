import { breakerKey, type TaskTypeSpec } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { newBreaker } from '../../../core/breakers/decide.ts';
import { aheadOf } from '../../../core/permits/ahead.ts';
import type { PermitStore } from '../../../core/ports/permit-store.ts';
import type { RowChange } from '../../../core/ports/task-store.ts';
import { quiet } from '../../../sim/quiet.ts';
import { faulty, type PortCall } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'echo' };

/** A lane with a backlog whose attempts run until they are ended, and whose settling may be held up. */
async function lane(
  over: Partial<TaskTypeSpec>,
  tasks: number,
  unknown: readonly string[] = [],
  prepare: (store: PermitStore) => Promise<unknown> = () => Promise.resolve(),
) {
  const running = new Map<string, { end: () => void; fail: (error: Error) => void }>();
  const started: string[] = [];
  /** In the order of their claims. */
  const claimed: string[] = [];
  const unclear = new Set<string>();
  const world = createWorld({
    types: [typeSpec('echo', { start: 'wait', concurrency: 8, adaptive: false, timeoutSeconds: 10, ...over })],
    before: (_spec, _mode, { sluice: { task } }) => {
      if (!unknown.includes(task)) return undefined;
      unclear.add(task);
      return { kind: 'unknown', message: 'no answer' };
    },
    handlers: {
      echo: ({ sluice }) => {
        started.push(sluice.task);
        return new Promise<void>((resolve, reject) => running.set(sluice.task, { end: resolve, fail: reject }));
      },
    },
  });
  await prepare(world.deps.permits);
  await world.submit('a', ...Array.from({ length: tasks }, (_, n) => ({ type: 'echo', id: `t${n}` })));
  let held: (() => void)[] | undefined;
  let failing: string | undefined;
  const deps = faulty(world.deps, async ({ at, args }: PortCall) => {
    if (at === 'tasks.update' && (args[3] as RowChange).set.state === 'running') claimed.push(String(args[1]));
    if (at === 'permits.release' && held) await new Promise<void>((resolve) => held?.push(resolve));
    return at === failing ? 'fail' : 'none';
  });
  /** Those that run, in the order of their starts. */
  const names = () => [...running.keys()];
  const take = async (id: string) => {
    const found = running.get(id);
    running.delete(id);
    if (!found) throw new Error(`${id} does not run`);
    return found;
  };
  const end = async (id = names()[0] ?? '') => {
    (await take(id)).end();
    await quiet();
  };
  const throttle = async (id = names()[0] ?? '') => {
    (await take(id)).fail(Object.assign(new Error('slow down'), { name: 'ThrottledError' }));
    await quiet();
  };
  /** Whose rows say that they run, though they wait for a slot. */
  const waiting = () => {
    const claims = new Set(world.tasks.rows().flatMap(({ state, id }) => (state === 'running' ? [id] : [])));
    return claimed.filter((id) => claims.has(id) && !running.has(id) && !unclear.has(id));
  };
  return {
    world,
    names,
    started,
    end,
    throttle,
    waiting,
    unclear,
    /** Dispatches, and ends what came by the queue and one that followed: from then on the backlog fills the slots. */
    drained: async (ms = 0) => {
      // All of the messages at once, so that what finds no permit is in the backlog.
      const invocation = world.dispatchOnce(deps, 1_000);
      await quiet();
      for (const id of names()) await end(id);
      world.clock.advance(ms);
      await end();
      return { invocation };
    },
    endAll: async () => {
      while (running.size > 0) await end();
    },
    fail: (at: string | undefined) => void (failing = at),
    hold: () => void (held = []),
    letGo: async () => {
      const those = held ?? [];
      held = undefined;
      for (const go of those) go();
      await quiet();
    },
  };
}

describe('what is claimed ahead', () => {
  it('starts when an attempt has ended, before that one is settled', async () => {
    const { world, drained, names, waiting, end, hold, letGo, endAll } = await lane({}, 40);
    const { invocation } = await drained();
    const [next, ...others] = waiting();
    expect([names().length, others.length + 1]).toEqual([8, aheadOf(8)]);
    expect(await world.held('a', 'echo')).toBe(8 + aheadOf(8));
    // Claimed, it has left the backlog.
    expect((await world.deps.backlog.first(LANE, 100)).map(({ id }) => id)).not.toContain(next);

    hold();
    await end();
    expect(names()).toHaveLength(8);
    expect(names()).toContain(next);
    await end();
    await end();
    expect(names()).toHaveLength(8);
    // Nothing is claimed while no permit comes back, so the next one has nobody to follow it.
    await end();
    expect([names().length, waiting().length]).toEqual([7, 0]);
    await letGo();
    expect([names().length, waiting().length]).toEqual([8, aheadOf(8)]);
    await endAll();
    await invocation;
    expect(world.tasks.rows().map(({ state, attempts }) => [state, attempts])).toEqual(Array(40).fill(['succeeded', 1]));
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('does not follow an attempt that was throttled until its permit is given back', async () => {
    const { world, drained, names, waiting, end, throttle, hold, letGo, endAll } = await lane({}, 40);
    const { invocation } = await drained();
    hold();
    await throttle();
    expect([names().length, waiting().length]).toEqual([7, aheadOf(8)]);
    await end();
    expect([names().length, waiting().length]).toEqual([7, aheadOf(8) - 1]);
    await letGo();
    expect(names()).toHaveLength(8);
    await endAll();
    await invocation;
    const rows = world.tasks.rows().filter(({ state }) => state !== 'succeeded');
    expect(rows.map(({ state, attempts, throttled }) => [state, attempts, throttled])).toEqual([['waiting', 0, 1]]);
  });

  it('leaves a slot to an attempt of which nobody knows whether it runs', async () => {
    const { drained, names, world, end, waiting, unclear } = await lane({}, 40, ['t20', 't21']);
    const { invocation } = await drained();
    const slots = [];
    while (names().length > 0) {
      slots.push(names().length + unclear.size);
      if (waiting().length > 0) expect(names().length + unclear.size).toBe(8);
      await end();
    }
    await invocation;
    expect([Math.max(...slots), unclear.size]).toEqual([8, 2]);
    expect(waiting()).toEqual([]);
    expect(await world.held('a', 'echo')).toBe(2);
  });

  it('is given back, free of charge, when the limit falls to what leaves no slot for it', async () => {
    const { world, drained, names, waiting, throttle } = await lane({ adaptive: { start: 8, signals: 1 } }, 40);
    const { invocation } = await drained();
    expect(waiting()).toHaveLength(aheadOf(8));
    const waited = waiting();
    while (names().length > 0) await throttle();
    await invocation;
    expect(waiting()).toEqual([]);
    const rows = world.tasks.rows().filter(({ id }) => waited.includes(id));
    expect(rows.map(({ state, attempts, again, lost }) => [state, attempts, again, lost])).toContainEqual(['waiting', 0, 'free', 0]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it('does not start once it was cancelled', async () => {
    const { world, drained, started, waiting, end, endAll } = await lane({}, 40);
    const { invocation } = await drained();
    const [next = ''] = waiting();
    await cancelTask(world.deps, 'a', next);
    world.clock.advance(1_000);
    await end();
    expect((await world.row('a', next)).state).toBe('cancelled');
    await endAll();
    await invocation;
    expect(started).not.toContain(next);
    expect(new Set(started).size).toBe(39);
  });

  it('does not start where it could not be looked at again, and comes back', async () => {
    const { world, drained, started, waiting, end, endAll, fail } = await lane({}, 20);
    const { invocation } = await drained();
    const [next = ''] = waiting();
    world.clock.advance(1_000);
    fail('tasks.get');
    await end();
    fail(undefined);
    expect((await world.row('a', next)).state).toBe('waiting');
    await endAll();
    await invocation;
    expect(started).not.toContain(next);
  });

  it('does not start once a breaker has opened', async () => {
    const { world, drained, started, waiting, end, endAll } = await lane({}, 20);
    const { invocation } = await drained();
    const waited = waiting();
    expect(waited).toHaveLength(aheadOf(8));
    const now = world.clock.now();
    await world.breakersOf.write({
      ...newBreaker(breakerKey('echo'), now),
      seq: 1,
      state: 'open',
      opening: 1,
      probeAt: now + 60_000,
    });
    await end();
    const rows = await Promise.all(waited.map((id) => world.row('a', id)));
    // The one whose turn it was passes it on, until none is left.
    expect(rows.map(({ state, again, attempts }) => [state, again, attempts])).toEqual(waited.map(() => ['waiting', 'free', 0]));
    await endAll();
    await invocation;
    expect(started.filter((id) => waited.includes(id))).toEqual([]);
  });

  it.each([
    [21_000, 1],
    [50_000, 0],
  ])('waits no longer than there is time to start it: %i ms', async (ms, starts) => {
    const { world, drained, started, waiting, end, endAll } = await lane({}, 20);
    const { invocation } = await drained();
    const waited = waiting();
    world.clock.advance(ms);
    await end();
    const rows = await Promise.all(waited.map((id) => world.row('a', id)));
    const undone = rows.filter(({ state, again, attempts, lost }) => state === 'waiting' && again === 'free' && attempts + lost === 0);
    expect([waited.filter((id) => started.includes(id)).length, undone.length]).toEqual([starts, aheadOf(8) - starts]);
    await endAll();
    await invocation;
  });

  it('does not start when there is no time for it, and another goes on with the lane', async () => {
    const { world, drained, waiting, endAll, names } = await lane({}, 40);
    const { invocation } = await drained();
    expect(waiting()).toHaveLength(aheadOf(8));
    world.clock.advance(165_000);
    await endAll();
    await invocation;
    expect([names(), waiting()]).toEqual([[], []]);
    const rows = world.tasks.rows().filter(({ state }) => state === 'waiting');
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ attempts }) => attempts === 0)).toBe(true);
    expect(world.queue.bodies().filter((body) => body.includes('"kind":"lane"'))).toHaveLength(1);
  });

  it('has its deadline and its wait from its start', async () => {
    const { world, drained, end, endAll } = await lane({}, 20);
    const { invocation } = await drained();
    world.clock.advance(200);
    await end();
    await endAll();
    await invocation;
    const waits = world.telemetry.measured('task.wait_time');
    expect(Math.max(...waits)).toBe(200);
  });

  it.each<[string, Partial<TaskTypeSpec>]>([
    ['a limit of less than four', { concurrency: 3 }],
    ['rates', { rates: [{ limit: 1_000, perSeconds: 1 }] }],
  ])('is nothing with %s', async (_what, over) => {
    const { drained, waiting, end, endAll, names, world } = await lane(over, 40);
    const { invocation } = await drained();
    const limit = over.concurrency ?? 8;
    for (let n = 0; n < 10; n++) {
      await end();
      expect([names().length, waiting().length]).toEqual([limit, 0]);
      expect(await world.held('a', 'echo')).toBe(limit);
    }
    await endAll();
    await invocation;
  });

  it('is nothing with a share of a capacity, which control counts by permits', async () => {
    const share = { version: 1, share: 8, cells: 1 };
    const { drained, waiting, end, endAll, names, world } = await lane({ capacity: 8 }, 40, [], (store) => store.setShare(LANE, 0, share));
    const { invocation } = await drained();
    for (let n = 0; n < 10; n++) {
      await end();
      expect([names().length, waiting().length, await world.held('a', 'echo')]).toEqual([8, 0, 8]);
    }
    await endAll();
    await invocation;
  });

  it('is nothing while attempts take long', async () => {
    const { drained, waiting, end, endAll, names, world } = await lane({ timeoutSeconds: 30 }, 40);
    const { invocation } = await drained(3_000);
    for (let n = 0; n < 5; n++) {
      world.clock.advance(3_000);
      await end();
      expect([names().length, waiting().length]).toEqual([8, 0]);
    }
    await endAll();
    await invocation;
  });

  it('leaves room for a class above it', async () => {
    const { drained, waiting, end, endAll, names, world } = await lane({ concurrency: 20 }, 60);
    await world.submit('a', ...Array.from({ length: 3 }, (_, n) => ({ type: 'echo', id: `h${n}`, priority: 'high' })));
    const { invocation } = await drained();
    while (names().some((name) => name.startsWith('h'))) await end(names().find((name) => name.startsWith('h')));
    for (let n = 0; n < 5; n++) await end();
    expect([names().length, waiting().length]).toEqual([19, 0]);
    await endAll();
    await invocation;
  });
});
