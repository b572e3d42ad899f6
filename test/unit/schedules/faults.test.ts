import { SYSTEM_TYPES } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { waiterId } from '../../../core/schedules/arm.ts';
import { deleteSchedule, pauseSchedule, resumeSchedule } from '../../../core/schedules/manage.ts';
import { createMemoryRandom } from '../../../adapters/memory/index.ts';
import { held } from '../../helpers/held-runs.ts';
import { faultAt, faulty, traced, type Fault } from '../../helpers/faults.ts';
import { createScheduleWorld, timesOf, type ScheduleWorld } from '../../helpers/schedule-world.ts';
import type { WorldDeps } from '../../helpers/world.ts';

const T = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const FAULTS: readonly Fault[] = ['fail', 'ambiguous', 'die', 'die-after'];

/** Minutes of the occurrences that have a task. */
const minutes = (world: ScheduleWorld) => timesOf(world.jobs()).map((time) => Number(time.slice(14, 16)));
/** Each occurrence ran, and ran once. */
function expectOnce(world: ScheduleWorld, expected: readonly number[]): void {
  expect(minutes(world)).toEqual(expected);
  expect(world.fired).toHaveLength(expected.length);
}

async function callsOfAFire(over: Record<string, unknown>): Promise<readonly string[]> {
  const seen: string[] = [];
  const world = createScheduleWorld({
    now: T,
    firePorts: (deps) => {
      const { deps: watched, calls } = traced(deps);
      if (seen.length === 0) setCalls(() => calls.map(({ at }) => at));
      return watched;
    },
  });
  let read: () => readonly string[] = () => [];
  function setCalls(get: () => readonly string[]): void {
    read = get;
    seen.push('set');
  }
  await world.put('s', { everySeconds: 60, ...over });
  await world.until(T + 61 * SECOND);
  return read();
}

describe('a fire with one fault', () => {
  it.each([
    ['allow', { overlap: 'allow' }],
    ['skip', { overlap: 'skip' }],
  ])(
    'at any of its calls loses no occurrence and repeats none: %s',
    async (_, over) => {
      const calls = await callsOfAFire(over);
      expect(calls.length).toBeGreaterThan(5);
      const seen = new Map<string, number>();
      for (const at of calls) {
        const nth = (seen.get(at) ?? 0) + 1;
        seen.set(at, nth);
        for (const fault of FAULTS) {
          let first = true;
          const firePorts = (deps: WorldDeps): WorldDeps => {
            const ports = first ? faultAt(deps, at, fault, nth) : deps;
            first = false;
            return ports;
          };
          const world = createScheduleWorld({ now: T, firePorts });
          await world.put('s', { everySeconds: 60, ...over });
          await world.until(T + 5 * MINUTE + 30 * SECOND);
          expect({ at, nth, fault, minutes: minutes(world), runs: world.fired.length }).toEqual({
            at,
            nth,
            fault,
            minutes: [1, 2, 3, 4, 5],
            runs: 5,
          });
        }
      }
    },
    60_000,
  );
});

describe('a call of the API with one fault', () => {
  type Op = (world: ScheduleWorld, deps: WorldDeps) => Promise<unknown>;
  const operations: [string, Op, Op][] = [
    ['put', async () => undefined, (world, deps) => world.put('s', { everySeconds: 60, misfire: { policy: 'all' } }, deps)],
    ['update', (world) => world.put('s', { everySeconds: 3_600 }), (world, deps) => world.put('s', { everySeconds: 60 }, deps)],
    [
      'resume',
      (world) => world.put('s', { everySeconds: 60, paused: true, misfire: { policy: 'all' } }),
      (_, deps) => resumeSchedule(deps, 'a', 's'),
    ],
  ];
  it.each(operations)('%s is done once it is answered, and a repeat does it', async (_, prepare, run) => {
    const probe = createScheduleWorld({ now: T });
    await prepare(probe, probe.deps);
    const { deps, calls } = traced(probe.deps);
    await run(probe, deps);
    expect(calls.map(({ at }) => at)).toContain('schedules.put');
    const seen = new Map<string, number>();
    for (const { at } of [...calls]) {
      const nth = (seen.get(at) ?? 0) + 1;
      seen.set(at, nth);
      for (const fault of FAULTS) {
        const world = createScheduleWorld({ now: T });
        await prepare(world, world.deps);
        const answered = await run(world, faultAt(world.deps, at, fault, nth)).then(
          () => true,
          () => false,
        );
        if (!answered) await run(world, world.deps);
        await world.until(T + 3 * MINUTE + 30 * SECOND);
        expect({ at, nth, fault, minutes: minutes(world), runs: world.fired.length }).toEqual({
          at,
          nth,
          fault,
          minutes: [1, 2, 3],
          runs: 3,
        });
      }
    }
  });

  it('that was never repeated leaves nothing that fires, or a schedule that does', async () => {
    for (const at of ['tasks.insert', 'queue.send', 'schedules.put']) {
      const world = createScheduleWorld({ now: T });
      await world.put('s', { everySeconds: 60 }, faultAt(world.deps, at, 'die-after')).catch(() => undefined);
      await world.until(T + 3 * MINUTE + 30 * SECOND);
      expectOnce(world, (await world.schedules.get('a', 's')) ? [1, 2, 3] : []);
    }
  });

  it('that resumes and fails still owes the occurrence that waits', async () => {
    const paused = async () => {
      const runs = held();
      const world = createScheduleWorld({ now: T, launch: runs.launch });
      await world.put('s', { everySeconds: 60, overlap: 'buffer' });
      await world.until(T + 125 * SECOND);
      await pauseSchedule(world.deps, 'a', 's');
      await runs.endAll();
      await world.settleOnce();
      return world;
    };
    const probe = await paused();
    const { deps, calls } = traced(probe.deps);
    await resumeSchedule(deps, 'a', 's');
    const nth = (at: string, i: number) => calls.slice(0, i + 1).filter((call) => call.at === at).length;
    expect(calls.map(({ at }) => at).filter((at) => at === 'tasks.insert')).toHaveLength(2);
    for (const [i, { at }] of calls.entries()) {
      for (const fault of FAULTS) {
        const world = await paused();
        await resumeSchedule(faultAt(world.deps, at, fault, nth(at, i)), 'a', 's').catch(() => undefined);
        await world.until(T + 150 * SECOND);
        const { state } = await world.record('s');
        const run = state === 'paused' ? [1] : [1, 2];
        expect({ at, i, fault, minutes: minutes(world) }).toEqual({ at, i, fault, minutes: run });
        await resumeSchedule(world.deps, 'a', 's');
        await world.until(T + 170 * SECOND);
        expect({ at, i, fault, minutes: minutes(world) }).toEqual({ at, i, fault, minutes: [1, 2] });
      }
    }
  });

  it('pause and delete stop it, whatever is under way', async () => {
    for (const stop of [pauseSchedule, deleteSchedule]) {
      const world = createScheduleWorld({ now: T });
      await world.put('s', { everySeconds: 60 });
      await world.until(T + 61 * SECOND);
      await stop(world.deps, 'a', 's');
      await world.until(T + 10 * MINUTE);
      expectOnce(world, [1]);
    }
  });
});

describe('a chain that is lost', () => {
  it('is made again within a quarter of an hour, once', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 60, misfire: { policy: 'skip' } });
    // Nobody is left who fires it: its tasks are of another chain.
    const record = await world.record('s');
    await world.schedules.put('a', { ...record, seq: record.seq + 1, chain: world.random.ulid(T - MINUTE) }, record.seq);
    await world.until(T + 20 * MINUTE + SECOND);
    expect(world.telemetry.total('schedule.repaired')).toBe(1);
    expect(minutes(world)).toEqual(Array.from({ length: minutes(world).length }, (_, n) => 21 - minutes(world).length + n));
    expect(minutes(world).length).toBeGreaterThan(5);
    const { counts } = await world.record('s');
    expect(counts.submitted + counts.missed).toBe(20);
  });

  it('takes the occurrence that waits along', async () => {
    const runs = held();
    const world = createScheduleWorld({ now: T, launch: runs.launch });
    await world.put('s', { everySeconds: 60, overlap: 'buffer' });
    await world.until(T + 125 * SECOND);
    const { waiting = 0, chain } = await world.record('s');
    await cancelTask(world.deps, 'a', waiterId({ name: 's', chain }, waiting));
    await world.until(T + 15 * MINUTE);
    await runs.endAll();
    await world.settleOnce();
    await world.until(T + 17 * MINUTE);
    expect(world.telemetry.total('schedule.repaired')).toBe(1);
    expect(minutes(world)[1]).toBe(2);
  });

  it('of a schedule that is gone leaves the directory', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 60 });
    await deleteSchedule(world.deps, 'a', 's');
    await world.until(T + 25 * MINUTE);
    const noted = await Promise.all(Array.from({ length: world.schedules.shards }, (_, shard) => world.schedules.noted(shard)));
    expect(noted.flat()).toEqual([]);
  });
});

describe('under random faults', () => {
  it('every occurrence runs exactly once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom('allow', 'skip'), async (seed, overlap) => {
        const chance = createMemoryRandom(seed);
        let calm = false;
        const firePorts = (deps: WorldDeps): WorldDeps =>
          faulty(deps, () => (!calm && chance.fraction() < 0.08 ? (FAULTS[Math.floor(chance.fraction() * 4)] ?? 'none') : 'none'));
        const world = createScheduleWorld({ now: T, seed, firePorts });
        await world.put('s', { everySeconds: 60, overlap, misfire: { policy: 'all', max: 100 } });
        for (let step = 1; step <= 4; step++) {
          await world.until(T + step * 4 * MINUTE);
          const act = Math.floor(chance.fraction() * 4);
          if (act === 0) {
            await pauseSchedule(world.deps, 'a', 's');
            await world.until(world.clock.now() + Math.floor(chance.fraction() * 100) * SECOND);
            await resumeSchedule(world.deps, 'a', 's');
          } else if (act === 1) {
            const labels = { step: String(step) };
            await world.put('s', { everySeconds: 60, overlap, misfire: { policy: 'all', max: 100 }, task: { type: 'job', labels } });
          }
        }
        calm = true;
        await world.until(T + 24 * MINUTE + 30 * SECOND);
        const { counts } = await world.record('s');
        // What was late may meet the one before it.
        const skipped = overlap === 'skip' ? counts.skipped : 0;
        expect(counts).toEqual({ submitted: 24 - skipped, skipped, missed: 0, failed: 0 });
        const all = Array.from({ length: 24 }, (_, n) => n + 1);
        expectOnce(world, overlap === 'skip' ? minutes(world) : all);
        expect(new Set(minutes(world)).size).toBe(24 - skipped);
        expect(world.tasks.rows().filter(({ type, state }) => type === SYSTEM_TYPES.fire && state === 'failed')).toEqual([]);
      }),
      // An update while two occurrences were owed once lost the second.
      { numRuns: 20, examples: [[560121, 'allow']] },
    );
  }, 60_000);
});
