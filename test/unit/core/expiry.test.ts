import { describe, expect, it } from 'vitest';
import { traced } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const at = (world: ReturnType<typeof createWorld>, ms: number) => new Date(world.clock.now() + ms).toISOString();
const states = (world: ReturnType<typeof createWorld>) => Object.fromEntries(world.tasks.rows().map((row) => [row.id, row.state]));

/** A lane of so many permits, all held by attempts that end when they are told. */
async function fullLane(concurrency: number) {
  const runs: (() => Promise<void>)[] = [];
  const started: string[] = [];
  const world = createWorld({
    types: [typeSpec('echo', { concurrency })],
    handlers: { echo: ({ sluice }) => void started.push(sluice.task) },
    launch: (run) => void runs.push(run),
  });
  await world.submit('a', ...Array.from({ length: concurrency }, (_, n) => ({ type: 'echo', id: `busy-${n}` })));
  while ((await world.dispatchOnce()) > 0);
  const endRuns = async () => {
    for (const run of runs.splice(0)) await run();
    while ((await world.settleOnce()) > 0);
  };
  return { world, started, endRuns };
}

describe('a task that is past its time', () => {
  it('goes for the price of one message and one write: its row is not read, and no permit is taken', async () => {
    const world = createWorld();
    await world.submit('a', ...Array.from({ length: 10 }, (_, n) => ({ type: 'echo', id: `t${n}`, expiresAt: at(world, 1_000) })));
    world.clock.advance(1_000);
    const { deps, calls } = traced(world.deps);

    expect(await world.dispatchOnce(deps)).toBe(1);

    expect(new Set(Object.values(states(world)))).toEqual(new Set(['expired']));
    const count = (name: string) => calls.filter((call) => call.at === name).length;
    expect(count('tasks.update')).toBe(10);
    expect([count('tasks.get'), count('permits.acquire'), count('backlog.put')]).toEqual([0, 0, 0]);
    // All that told them of their ends were told together.
    expect(count('events.publish')).toBe(1);
    expect(world.events.events().map(({ state }) => state)).toEqual(Array(10).fill('expired'));
    expect(world.telemetry.total('task.expired', 'echo')).toBe(10);
  });

  it('is looked at as it is when it is not as its first hint says', async () => {
    const world = createWorld();
    await world.submit(
      'a',
      { type: 'echo', id: 't1', expiresAt: at(world, 1_000) },
      { type: 'echo', id: 't2', expiresAt: at(world, 1_000) },
    );
    const [message] = await world.queue.receive(1);
    await world.queue.giveBack(message as never, 0);
    world.clock.advance(1_000);
    const gone = await world.row('a', 't1');
    await world.tasks.update('a', 't1', gone, { set: { state: 'cancelled', endedAt: world.clock.now() } });
    // Received twice, the second row is not expired twice.
    await world.dispatchOnce();
    expect(states(world)).toEqual({ t1: 'cancelled', t2: 'expired' });
    expect(world.events.events()).toHaveLength(1);
  });

  it('waits for its row as long as any other hint', async () => {
    const world = createWorld();
    await world.submit('a', { type: 'echo', id: 't1', expiresAt: at(world, 1_000) });
    const row = await world.row('a', 't1');
    world.clock.advance(1_000);
    const ports = { ...world.deps, tasks: { ...world.tasks, update: async () => ({ applied: false as const, row: undefined }) } };
    await world.dispatchOnce(ports);
    expect((await world.row('a', 't1')).state).toBe('waiting');
    world.clock.advance(2_000);
    await world.dispatchOnce();
    expect(await world.row('a', 't1')).toMatchObject({ state: 'expired', uid: row.uid });
  });
});

describe('tasks that are past their time in a backlog', () => {
  it('do not wait for a permit while their lane is full', async () => {
    const { world } = await fullLane(1);
    await world.submit('a', ...Array.from({ length: 30 }, (_, n) => ({ type: 'echo', id: `t${n}`, expiresAt: at(world, 5_000) })));
    await world.submit('a', { type: 'echo', id: 'stays' });
    while ((await world.dispatchOnce()) > 0);
    world.clock.advance(60_000);
    await world.tick();
    const { deps, calls } = traced(world.deps);
    while ((await world.dispatchOnce(deps)) > 0);

    const counted = Object.values(states(world)).filter((state) => state === 'expired');
    expect(counted).toHaveLength(30);
    expect(await world.row('a', 'stays')).toMatchObject({ state: 'waiting' });
    // One write each and one removal for all, beside the looks at the lane.
    const count = (name: string) => calls.filter((call) => call.at === name).length;
    expect([count('tasks.update'), count('tasks.get'), count('permits.acquire'), count('backlog.remove')]).toEqual([30, 0, 0, 1]);
  });

  it('are looked for in a full lane every 20 seconds, not with each permit that is given back', async () => {
    const { world } = await fullLane(1);
    await world.submit('a', { type: 'echo', id: 'waits' });
    while ((await world.dispatchOnce()) > 0);
    const reads: number[] = [];
    for (let n = 0; n < 6; n++) {
      const { deps, calls } = traced(world.deps);
      await world.deps.queue.send([
        { queue: { priority: 'high', shard: 0 }, message: { v: 1, kind: 'lane', tenant: 'a', type: 'echo', made: 0 }, delaySeconds: 0 },
      ]);
      await world.dispatchOnce(deps);
      reads.push(calls.filter((call) => call.at === 'backlog.first').length);
      world.clock.advance(10_000);
    }
    expect(reads).toEqual([1, 0, 1, 0, 1, 0]);
  });

  it('go many at a time when a permit is free, and the permit goes to one that may start', async () => {
    const { world, started, endRuns } = await fullLane(1);
    await world.submit('a', ...Array.from({ length: 60 }, (_, n) => ({ type: 'echo', id: `t${n}`, expiresAt: at(world, 5_000) })));
    while ((await world.dispatchOnce()) > 0);
    world.clock.advance(1);
    await world.submit('a', { type: 'echo', id: 'stays' });
    while ((await world.dispatchOnce()) > 0);
    world.clock.advance(6_000);
    await endRuns();
    const { deps, calls } = traced(world.deps);
    while ((await world.dispatchOnce(deps)) > 0);

    expect(Object.values(states(world)).filter((state) => state === 'expired')).toHaveLength(60);
    await endRuns();
    expect(started).toContain('stays');
    expect(calls.filter((call) => call.at === 'permits.acquire')).toHaveLength(1);
    expect(calls.filter((call) => call.at === 'backlog.remove').length).toBeLessThanOrEqual(3);
  });

  it('that have started before are retried, not expired', async () => {
    const { world } = await fullLane(1);
    await world.submit('a', { type: 'echo', id: 't1', expiresAt: at(world, 1_000) });
    const row = await world.row('a', 't1');
    await world.tasks.update('a', 't1', row, { set: { attempts: 1, again: 'retry' } });
    const hint = {
      id: 't1',
      uid: row.uid,
      seq: 1,
      at: row.at,
      made: row.at,
      type: 'echo',
      priority: 'normal' as const,
      expiresAt: row.expiresAt,
      again: 'retry' as const,
    };
    await world.deps.backlog.put({ tenant: 'a', type: 'echo' }, [hint as never]);
    await world.deps.permits.raise({ tenant: 'a', type: 'echo' }, 0);
    world.clock.advance(30_000);
    await world.deps.queue.send([
      { queue: { priority: 'high', shard: 0 }, message: { v: 1, kind: 'lane', tenant: 'a', type: 'echo', made: 0 }, delaySeconds: 0 },
    ]);
    while ((await world.dispatchOnce()) > 0);
    expect(await world.row('a', 't1')).toMatchObject({ state: 'waiting', again: 'retry' });
  });
});
