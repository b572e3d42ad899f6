import { describe, expect, it } from 'vitest';
import { audit } from '../../../core/audit/audit.ts';
import { measureBacklogs } from '../../../core/timers/measure-backlogs.ts';
import { createWorld, typeSpec, type WorldConfig } from '../../helpers/world.ts';

const MINUTE = 60_000;

/** A world with a type of one permit a lane, whose attempts hold it. */
function makeFull(config: WorldConfig = {}) {
  return createWorld({ types: [typeSpec('echo', { concurrency: 1 })], launch: () => undefined, handlers: { echo: () => 'ok' }, ...config });
}

describe('submissions', () => {
  it('are counted by what became of them, and by type where it is known', async () => {
    const world = createWorld();
    await world.submit(
      'a',
      { type: 'echo', id: 't1' },
      { type: 'echo', id: 't1' },
      { type: 'nothing' },
      { type: 'echo', delaySeconds: -1 },
      7,
    );
    await world.submit('a', { type: 'echo', id: 't1', payload: 'another' });
    const { total } = world.telemetry;
    expect([total('submit.accepted', 'echo'), total('submit.deduplicated', 'echo'), total('submit.refused', 'echo')]).toEqual([1, 1, 1]);
    expect([total('submit.refused'), total('submit.refused', 'nothing'), total('submit.failed')]).toEqual([4, 0, 0]);
  });

  it('that fail on our side are told from those that are wrong', async () => {
    const world = createWorld();
    const insert = () => Promise.reject(new Error('away'));
    await world.submitBy({ ...world.deps, tasks: { ...world.tasks, insert } }, 'a', { type: 'echo' }, { type: 'nothing' });
    expect([world.telemetry.total('submit.failed', 'echo'), world.telemetry.total('submit.refused')]).toEqual([1, 1]);
  });
});

describe('attempts', () => {
  it('tell how long they waited since they were due, and how long they ran', async () => {
    const world = createWorld({
      handlers: {
        echo: () => {
          world.clock.advance(700);
          return 'ok';
        },
      },
    });
    await world.submit('a', { type: 'echo', id: 't1', delaySeconds: 10 });
    world.clock.advance(14_000);
    await world.run();
    expect(world.telemetry.measured('task.wait_time', 'echo')).toEqual([4_000]);
    expect(world.telemetry.measured('attempt.run_time', 'echo')).toEqual([700]);
  });

  it('run from the start that the handler tells', async () => {
    const sluice = { version: 1, class: 'retryable', error: { name: 'E', message: 'e' } };
    const world = createWorld({
      handlers: { echo: () => ({ sluice: { ...sluice, startedAt: world.clock.now() - 250, endedAt: world.clock.now() } }) },
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    expect(world.telemetry.measured('attempt.run_time')).toEqual([250, 250, 250]);
    expect([world.telemetry.total('attempt.retryable', 'echo'), world.telemetry.total('task.failed', 'echo')]).toEqual([3, 1]);
  });

  it('that never began have no run time', async () => {
    let refusals = 2;
    const world = createWorld({
      handlers: { echo: () => 'ok' },
      before: () => (refusals-- > 0 ? { kind: 'refused', why: 'throttled', message: '429' } : undefined),
    });
    await world.submit('a', { type: 'echo', id: 't1' });
    await world.run();
    expect(world.telemetry.measured('attempt.run_time')).toHaveLength(1);
    expect([world.telemetry.total('attempt.throttled', 'echo'), world.telemetry.total('start.throttled', 'echo')]).toEqual([2, 2]);
    expect([world.telemetry.total('task.succeeded', 'echo'), world.telemetry.total('attempt.succeeded')]).toEqual([1, 0]);
  });
});

describe('lanes', () => {
  it('tell their use whenever permits are taken, also when they are full', async () => {
    const world = createWorld({ types: [typeSpec('echo', { concurrency: 4 })], launch: () => undefined, handlers: { echo: () => 'ok' } });
    for (const n of [2, 1, 3]) {
      await world.submit('a', ...Array.from({ length: n }, () => ({ type: 'echo' })));
      while (await world.dispatchOnce());
    }
    expect(Math.max(...world.telemetry.measured('lane.use', 'echo'))).toBe(100);
    expect(world.telemetry.measured('lane.use', 'echo')).toContain(50);
    expect(Math.max(...world.telemetry.measured('lane.in_flight', 'echo'))).toBe(4);
  });

  it('of several cells tell their use from the one that was asked', async () => {
    const type = typeSpec('echo', { concurrency: 80, adaptive: false });
    const world = createWorld({ types: [type], launch: () => undefined, handlers: { echo: () => 'ok' } });
    await world.submit('a', ...Array.from({ length: 10 }, () => ({ type: 'echo' })));
    await world.dispatchOnce();
    expect(world.telemetry.measured('lane.use')).toEqual([25]);
    expect(world.telemetry.measured('lane.in_flight')).toEqual([20]);
    expect(world.telemetry.measured('lane.limit')).toEqual([80]);
  });
});

describe('the minute tick', () => {
  it('measures size and oldest age of the backlogs of each type', async () => {
    const world = makeFull();
    for (const tenant of ['a', 'b']) {
      await world.submit(tenant, ...Array.from({ length: 5 }, () => ({ type: 'echo' })));
      while (await world.dispatchOnce());
      world.clock.advance(30_000);
    }
    await world.tick();
    expect(world.telemetry.measured('backlog.size', 'echo')).toEqual([8]);
    expect(world.telemetry.measured('backlog.age', 'echo')).toEqual([60]);
  });

  it('measures nothing where nothing waits', async () => {
    const world = createWorld();
    await world.tick();
    expect(world.telemetry.measured('backlog.size')).toEqual([]);
  });

  it('reads no more for thousands of lanes than it may: they take turns', async () => {
    const world = createWorld();
    const lanes = Array.from({ length: 1_200 }, (_, n) => ({ tenant: `t${n}`, type: n === 0 ? 'rare' : 'echo' }));
    const asked: number[] = [];
    const backlog = {
      ...world.deps.backlog,
      measure: async (_: unknown, atMost: number) => (asked.push(atMost), { count: 2, more: false, oldestAt: 0 }),
    };
    for (let minute = 0; minute < 3; minute++) await measureBacklogs({ ...world.deps, backlog }, lanes, minute * MINUTE);
    expect(asked).toHaveLength(1_200);
    expect(asked.reduce((a, b) => a + b)).toBeLessThanOrEqual(3 * 20_000);
    // What is counted stands for those whose turn it is not.
    expect(world.telemetry.measured('backlog.size', 'echo').reduce((a, b) => a + b)).toBe(3 * 2 * 1_199);
    expect(world.telemetry.measured('backlog.size', 'rare')).toEqual([6]);
  });

  it('counts a long backlog up to a bound, however few lanes there are', async () => {
    const world = createWorld();
    const asked: number[] = [];
    const backlog = {
      ...world.deps.backlog,
      measure: async (_: unknown, n: number) => (asked.push(n), { count: n, more: true, oldestAt: 0 }),
    };
    await measureBacklogs({ ...world.deps, backlog }, [{ tenant: 'a', type: 'echo' }], 5_000);
    expect([asked, world.telemetry.measured('backlog.size'), world.telemetry.measured('backlog.age')]).toEqual([[10_000], [10_000], [5]]);
  });

  it('tells how late it is, 0 in time, each time that it comes', async () => {
    const world = createWorld();
    const ticks = async (...after: number[]) => {
      for (const ms of after) {
        world.clock.advance(ms);
        await world.tick();
      }
      return world.telemetry.measured('tick.late').slice(-after.length);
    };
    world.clock.set(Math.ceil(world.clock.now() / MINUTE) * MINUTE);
    expect(await ticks(0, MINUTE, MINUTE, 90_000, 30_000)).toEqual([0, 0, 0, 0, 0]);
    // The hints of the minute after next were not moved when it began.
    expect(await ticks(5 * MINUTE)).toEqual([180]);
    expect(await ticks(MINUTE)).toEqual([0]);
  });

  it('counts a backlog whose type is gone until the type is back, and forgets the lane when nothing is left', async () => {
    const world = makeFull();
    await world.submit('a', { type: 'echo', id: 't1' }, { type: 'echo', id: 't2' });
    while (await world.dispatchOnce());
    await world.types.remove('echo');
    world.clock.advance(6 * MINUTE);
    await world.tick();
    await world.tick();
    expect(world.telemetry.total('type.missing', 'echo')).toBe(2);
    expect(await world.deps.backlog.lanes()).toHaveLength(1);

    await world.types.put(typeSpec('echo', { concurrency: 1 }));
    await world.tick();
    expect(world.telemetry.total('type.missing')).toBe(2);
    const lane = { tenant: 'a', type: 'echo' };
    await world.types.remove('echo');
    await world.deps.backlog.remove(lane, await world.deps.backlog.first(lane, 10));
    await world.tick();
    expect(await world.deps.backlog.lanes()).toEqual([]);
  });
});

describe('the audit', () => {
  it('tells what it found, and whether it came to the end', async () => {
    const world = createWorld();
    await world.submit('a', { type: 'echo', id: 't1' });
    world.clock.advance(2 * 86_400_000);
    await audit(world.deps, { deadline: world.clock.now() + 1, paceMs: 0 });
    expect([world.telemetry.total('audit.found'), world.telemetry.total('audit.incomplete')]).toEqual([1, 0]);
    await audit(world.deps, { deadline: world.clock.now() - 1, paceMs: 0 });
    expect([world.telemetry.total('audit.found'), world.telemetry.total('audit.incomplete')]).toEqual([1, 1]);
  });
});
