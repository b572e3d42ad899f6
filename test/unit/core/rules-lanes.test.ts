import { describe, expect, it } from 'vitest';
import { drainLane } from '../../../core/dispatch/drain.ts';
import { before, faultAt, faulty, traced } from '../../helpers/faults.ts';
import { watchHints } from '../../helpers/has-hint.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec, type World, type WorldConfig, type WorldDeps } from '../../helpers/world.ts';

const LANE = { tenant: 'a', type: 'echo' };
/** Where a hint rests is asked here, not how many may run. */
const narrow = typeSpec('echo', { concurrency: 1, adaptive: false });

/** A lane of one permit that a task `busy` holds, and others in its backlog. */
async function fullLane(config: WorldConfig, ...ids: string[]) {
  const runs: (() => Promise<void>)[] = [];
  const world = createWorld({ types: [narrow], handlers: { echo: () => 'ok' }, ...config, launch: (run) => void runs.push(run) });
  const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
  await world.submitBy(watch.deps, 'a', { type: 'echo', id: 'busy' });
  await world.dispatchOnce(watch.deps);
  for (const id of ids) await world.submitBy(watch.deps, 'a', { type: 'echo', id });
  await world.dispatchOnce(watch.deps);
  /** Ends the runs there are, and settles them. */
  const settle = async () => {
    for (const run of runs.splice(0)) await run();
    await world.settleOnce(watch.deps);
  };
  return { world, watch, settle, runs };
}

async function finish(world: World, settle: () => Promise<void>): Promise<void> {
  for (let i = 0; i < 50 && world.tasks.rows().some((row) => row.state !== 'succeeded'); i++) {
    while ((await world.dispatchOnce()) > 0);
    await settle();
    world.clock.advance(10_000);
    if (i % 6 === 5) await world.tick();
  }
  expect(world.tasks.rows().map((row) => row.state)).toEqual(world.tasks.rows().map(() => 'succeeded'));
}

const drain = (world: World, ports: WorldDeps) => drainLane(ports, LANE, { noted: world.noted, deadline: world.clock.now() + 60_000 });

describe('the rule', () => {
  it('flag: the lane that it finds full is noted, then what came is put, then the flag is raised, then its message goes', async () => {
    const { world, watch } = await fullLane({});
    await world.submit('a', { type: 'echo', id: 't1' });
    const { deps, calls } = traced(watch.deps);
    await world.dispatchOnce(deps);
    const order = calls.map((call) => call.at).filter((at) => /backlog|raise|remove/.test(at));
    expect(order).toEqual(['backlog.register', 'backlog.put', 'permits.raise', 'queue.remove']);
  });

  it.each(
    ['backlog.put', 'backlog.register', 'permits.raise', 'queue.remove'].flatMap(
      (at) =>
        [
          [at, 'die'],
          [at, 'die-after'],
          [at, 'fail'],
          [at, 'ambiguous'],
        ] as const,
    ),
  )('flag: a message whose parking fails at %s (%s) is not lost', async (at, fault) => {
    const { world, watch, settle } = await fullLane({});
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(faultAt(watch.deps, at, fault)).catch(() => undefined);
    await finish(world, settle);
  });

  it('flag: an item that comes while an empty backlog is cleared keeps the flag up', async () => {
    const { world, watch, settle } = await fullLane({}, 't1');
    await settle();
    await drain(world, watch.deps);
    await settle();
    // The backlog is empty, the flag is still up, and a permit is free. Once it was found empty, an item comes.
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't2' }, { type: 'echo', id: 't3' });
    const { first } = watch.deps.backlog;
    const findsNothing = async (...args: Parameters<typeof first>) => {
      const found = await first(...args);
      expect(found).toEqual([]);
      while ((await world.dispatchOnce(watch.deps)) > 0);
      return found;
    };
    await drain(world, { ...watch.deps, backlog: { ...watch.deps.backlog, first: findsNothing } });
    expect(await world.deps.backlog.first(LANE, 10)).toHaveLength(1);
    expect(watch.silentBacklogs()).toEqual([]);
    expect(watch.withoutHint()).toEqual([]);
    await finish(world, settle);
  });

  it('flag: a lane is forgotten only long after its last note, and never with its flag up', async () => {
    const { world, watch, settle } = await fullLane({}, 't1');
    world.clock.advance(3_600_000);
    await world.tick(watch.deps);
    expect(await world.deps.backlog.lanes()).toHaveLength(1);
    await finish(world, settle);
    await drain(world, watch.deps);
    await world.tick(watch.deps);
    expect(await world.deps.backlog.lanes()).toEqual([]);
  });

  it('flag: a note that is renewed while the minute forgets its lane stays', async () => {
    const { world, watch, settle } = await fullLane({}, 't1');
    await finish(world, settle);
    await drain(world, watch.deps);
    world.clock.advance(600_000);
    const forgetting = before(watch.deps, 'backlog.unregister', async () => {
      await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't2' }, { type: 'echo', id: 't3' });
      while ((await world.dispatchOnce(watch.deps)) > 0);
    });
    await world.tick(forgetting);
    expect(await world.deps.backlog.lanes()).toHaveLength(1);
    expect(watch.withoutHint()).toEqual([]);
  });

  it('flag: a lane that fills again soon after its note, which is not renewed then, is still noted', async () => {
    const { world, watch, settle } = await fullLane({}, 't1');
    await finish(world, settle);
    await drain(world, watch.deps);
    await world.tick(watch.deps);
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't2' }, { type: 'echo', id: 't3' });
    while ((await world.dispatchOnce(watch.deps)) > 0);
    expect(await world.deps.backlog.lanes()).toHaveLength(1);
    expect(watch.withoutHint()).toEqual([]);
  });

  it('flag: a permit that was given back before the flag was up is told by who raises it', async () => {
    const { world, watch, settle } = await fullLane({});
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(before(watch.deps, 'permits.raise', settle));
    expect(world.queue.bodies().some((body) => body.includes('"kind":"lane"'))).toBe(true);
    // With no minute's tick in between.
    while ((await world.dispatchOnce(watch.deps)) > 0);
    await settle();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded' });
  });

  it.each(['event', 'wait'] as const)('drainHint: a claim out of the backlog has a lease-end hint of its own (%s)', async (start) => {
    const { world, watch, settle } = await fullLane({}, 't1');
    await settle();
    await world.types.put({ ...narrow, start });
    // The drain dies when it has claimed; the item, left behind, is dropped by the next.
    await drain(world, faultAt(watch.deps, 'starter.start', 'die')).catch(() => undefined);
    const row = await world.row('a', 't1');
    expect(row).toMatchObject({ state: 'running', run: { hint: row.fence, mode: start } });
    expect(watch.hintsOf(row)).toEqual(['queue']);
    world.clock.set(row.run?.leaseEnd ?? 0);
    await drain(world, watch.deps);
    expect(await world.deps.backlog.first(LANE, 10)).toEqual([]);
    await finish(world, settle);
    expect(await world.row('a', 't1')).toMatchObject({ lost: 1, attempts: 1 });
  });

  it('bkey: taking an old item away leaves the one that its task has now', async () => {
    let refused = 0;
    const { world, watch, settle } = await fullLane(
      {
        before: (_, __, { sluice }) =>
          sluice.task === 't1' && refused++ === 0 ? { kind: 'refused', why: 'throttled', message: '429' } : undefined,
      },
      't1',
    );
    await settle();
    // Drained, undone, and parked again, all before the drain takes the item away that it came by.
    await drain(
      world,
      before(watch.deps, 'backlog.remove', async () => {
        await world.submitBy(watch.deps, 'a', { type: 'echo', id: 'busy2' });
        await world.dispatchOnce(watch.deps);
        world.clock.advance(2_000);
        while ((await world.dispatchOnce(watch.deps)) > 0);
      }),
    );
    const row = await world.row('a', 't1');
    expect(row).toMatchObject({ state: 'waiting', seq: 2 });
    expect((await world.deps.backlog.first(LANE, 10)).map(({ id, seq }) => [id, seq])).toEqual([['t1', 2]]);
    await finish(world, settle);
    expect(await world.row('a', 't1')).toMatchObject({ attempts: 1, lost: 0 });
  });

  it('drains a whole backlog with one lane hint and no minute, at the width of its lane', async () => {
    const ids = Array.from({ length: 120 }, (_, i) => `t${i}`);
    let most = 0;
    let live = 0;
    const world = createWorld({ types: [typeSpec('echo', { concurrency: 7, start: 'wait' })], handlers: { echo: () => 'ok' } });
    const ports = faulty(world.deps, (call) => {
      if (call.at === 'starter.start') most = Math.max(most, ++live);
      if (call.at === 'tasks.update' && (call.args[3] as { set: { state?: string } }).set.state === 'succeeded') live -= 1;
      return 'none';
    });
    await world.submit('a', ...ids.map((id) => ({ type: 'echo', id })));
    while ((await world.dispatchOnce(ports)) > 0);
    expect(world.tasks.rows().every((row) => row.state === 'succeeded')).toBe(true);
    expect(world.clock.now()).toBe(T0);
    expect(most).toBe(7);
  });

  it('arm: a bucket put that was confirmed too late is hinted again', async () => {
    const started: number[] = [];
    const world = createWorld({ handlers: { echo: () => void started.push(world.clock.now()) } });
    const watch = watchHints(world);
    const runAt = T0 + 16 * 60_000;
    // The put is applied when the mover has passed its minute.
    const slow = before(watch.deps, 'buckets.put', async () => {
      world.clock.advance(15 * 60_000 + 30_000);
      await world.tick(watch.deps);
    });
    const [result] = await world.submitBy(slow, 'a', { type: 'echo', id: 't1', runAt: new Date(runAt).toISOString() });
    expect(result).toMatchObject({ ok: true });
    expect(watch.withoutHint()).toEqual([]);
    await world.run();
    expect(started).toEqual([runAt]);
  });

  it('arm: so is the put of a retry, of which no submission takes care', async () => {
    let runs = 0;
    const retry = { maxAttempts: 2, minDelaySeconds: 960, maxDelaySeconds: 960, factor: 1 };
    const world = createWorld({
      types: [typeSpec('echo', { retry })],
      handlers: {
        echo: () => {
          if (runs++ === 0) throw new Error('no');
        },
      },
    });
    const watch = watchHints(world);
    await world.submitBy(watch.deps, 'a', { type: 'echo', id: 't1' });
    await world.dispatchOnce(watch.deps);
    await world.starter.idle();
    await world.settleOnce(
      before(watch.deps, 'buckets.put', async () => {
        world.clock.advance(15 * 60_000 + 30_000);
        await world.tick(watch.deps);
      }),
    );
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', at: T0 + 960_000 });
    expect(watch.withoutHint()).toEqual([]);
    await world.run();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'succeeded', attempts: 2 });
  });

  it('arm: a put that failed is no hint, so the task is refused; one in time is hinted once', async () => {
    const world = createWorld();
    const [result] = await world.submitBy(faultAt(world.deps, 'buckets.put', 'fail'), 'a', { type: 'echo', id: 't1', delaySeconds: 3_600 });
    expect(result).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    expect(world.tasks.rows()).toEqual([]);
    await world.submit('a', { type: 'echo', id: 't1', delaySeconds: 3_600 });
    expect(world.queue.bodies()).toEqual([]);
  });

  it.each(
    ['queue.send', 'buckets.advance', 'buckets.read'].flatMap(
      (at) =>
        [
          [at, 'die'],
          [at, 'die-after'],
          [at, 'fail'],
          [at, 'ambiguous'],
        ] as const,
    ),
  )('arm: a tick that fails at %s (%s) is made up by the next', async (at, fault) => {
    const world = createWorld({ handlers: { echo: () => 'ok' } });
    const watch = watchHints(world, () => expect(watch.withoutHint()).toEqual([]));
    await world.tick(watch.deps);
    await world.submitBy(
      watch.deps,
      'a',
      ...Array.from({ length: 30 }, (_, i) => ({ type: 'echo', id: `t${i}`, delaySeconds: 1_000 + i })),
    );
    world.clock.advance(960_000);
    await world.tick(faultAt(watch.deps, at, fault)).catch(() => undefined);
    // A missed hour, too.
    world.clock.advance(3_600_000);
    await world.tick(watch.deps);
    await world.run();
    expect(world.tasks.rows().filter((row) => row.state === 'succeeded')).toHaveLength(30);
  });
});

describe('dead hints', () => {
  it('are hinted again by the minute, however often a queue gives up on them', async () => {
    let fail = 40;
    const world = createWorld({ handlers: { echo: () => 'ok' }, maxReceives: 3 });
    await world.submit('a', { type: 'echo', id: 't1' }, { type: 'echo', id: 't2', delaySeconds: 30 });
    for (let i = 0; i < 40; i++) {
      await world.dispatchOnce(faulty(world.deps, (call) => (call.at.startsWith('permits.') && fail-- > 0 ? 'fail' : 'none')));
      world.clock.advance(6_000);
      if (i % 10 === 9) await world.tick(faultAt(world.deps, 'dead.remove', i === 9 ? 'ambiguous' : 'none')).catch(() => undefined);
    }
    await world.run();
    expect(world.telemetry.total('hint.revived')).toBeGreaterThan(0);
    expect(world.tasks.rows().map((row) => row.state)).toEqual(['succeeded', 'succeeded']);
  });
});
