import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DECIDED } from '../../../core/schedules/plan.ts';
import { createScheduleWorld, timesOf, type ScheduleWorld } from '../../helpers/schedule-world.ts';

const T = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const ALL = { policy: 'all', max: 100 } as const;

const times = (world: ScheduleWorld) => timesOf(world.jobs()).map((time) => time.slice(11, -1));
const told = async (world: ScheduleWorld) => {
  const { counts, waiting } = await world.record('s');
  return counts.submitted + counts.skipped + counts.missed + counts.failed + (waiting === undefined ? 0 : 1);
};

/** What fires a schedule may be late, and others change it meanwhile. */
describe('a schedule whose times are changed while occurrences are owed', () => {
  it('runs all of them, and then the new ones', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 10 });
    world.clock.set(T + 35 * SECOND);
    await world.put('s', { everySeconds: 20 });
    expect(await world.record('s')).toMatchObject({
      next: T + 10 * SECOND,
      owed: [T + 20 * SECOND, T + 30 * SECOND],
      since: T + 35 * SECOND,
    });
    await world.until(T + 80 * SECOND);
    expect(times(world)).toEqual(['00:00:10', '00:00:20', '00:00:30', '00:00:55', '00:01:15']);
    expect(await world.record('s')).not.toHaveProperty('owed');
  });

  it('owes them over more changes than one, and over a pause', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 10 });
    world.clock.set(T + 25 * SECOND);
    await world.put('s', { everySeconds: 5, paused: true });
    world.clock.set(T + 26 * SECOND);
    await world.put('s', { everySeconds: 5, paused: false });
    world.clock.set(T + 31 * SECOND);
    await world.put('s', { everySeconds: 3_600 });
    await world.until(T + 50 * SECOND);
    expect(times(world)).toEqual(['00:00:10', '00:00:20', '00:00:30']);
  });

  it('leaves those that are too late to the misfire policy', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 60, misfire: { policy: 'once' } });
    world.clock.set(T + 10 * MINUTE + 1);
    await world.put('s', { everySeconds: 3_600, misfire: { policy: 'all', max: 3 } });
    await world.until(T + 12 * MINUTE);
    expect(times(world)).toEqual(['00:07:00', '00:08:00', '00:09:00', '00:10:00']);
    expect((await world.record('s')).counts).toMatchObject({ submitted: 4, missed: 6 });
  });

  it('leaves them to the overlap policy', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 10 });
    world.clock.set(T + 25 * SECOND);
    await world.put('s', { everySeconds: 3_600, overlap: 'skip' });
    await world.until(T + MINUTE);
    expect((await world.record('s')).counts).toMatchObject({ submitted: 1, skipped: 1 });
  });

  it('waits for the jitter of the new times', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 10 });
    world.clock.set(T + 45 * SECOND);
    await world.put('s', { everySeconds: 3_600, jitterSeconds: 300, misfire: ALL });
    await world.until(T + 7 * MINUTE);
    expect(times(world)).toEqual(['00:00:10', '00:00:20', '00:00:30', '00:00:40']);
    expect(await told(world)).toBe(4);
  });

  it('says of those that it cannot keep that they were missed', async () => {
    const world = createScheduleWorld({ now: T });
    const count = DECIDED + 50;
    await world.put('s', { everySeconds: 1, misfire: ALL });
    world.clock.set(T + count * SECOND);
    await world.put('s', { everySeconds: 3_600, misfire: ALL });
    const { owed, counts, recent } = await world.record('s');
    expect(owed).toHaveLength(DECIDED - 1);
    expect(counts.missed).toBe(50);
    expect(recent).toMatchObject([{ did: 'missed', at: T + 50 * SECOND, count: 50, reason: 'its times were changed' }]);
    expect(world.telemetry.total('schedule.missed')).toBe(50);
    await world.until(T + (count + 60) * SECOND);
    expect(await told(world)).toBe(count);
  });

  it('says of those that fell into a pause that they were missed', async () => {
    const world = createScheduleWorld({ now: T });
    await world.put('s', { everySeconds: 60, misfire: ALL });
    await world.until(T + 61 * SECOND);
    await world.put('s', { everySeconds: 60, misfire: ALL, paused: true });
    world.clock.set(T + 5 * MINUTE + 1);
    await world.put('s', { everySeconds: 120, misfire: ALL });
    const { state, next, counts, recent } = await world.record('s');
    expect({ state, next }).toEqual({ state: 'paused', next: T + 7 * MINUTE });
    expect(counts).toMatchObject({ submitted: 1, missed: 4 });
    expect(recent[0]).toMatchObject({ did: 'missed', count: 4, at: T + 5 * MINUTE });
  });
});

it('however a schedule is changed, each of its occurrences is told of', async () => {
  const step = fc.record({
    passSeconds: fc.integer({ min: 0, max: 400 }),
    isLate: fc.boolean(),
    everySeconds: fc.constantFrom(7, 30, 60),
    paused: fc.boolean(),
    overlap: fc.constantFrom('allow', 'skip', 'buffer', 'cancel'),
    policy: fc.constantFrom('skip', 'once', 'all'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const world = createScheduleWorld({ now: T });
      await world.put('s', { everySeconds: 60 });
      let came = 0;
      let from = { anchor: T, period: MINUTE };
      const since = (now: number) => Math.floor((now - from.anchor) / from.period);
      let counted = 0;
      for (const { passSeconds, isLate, everySeconds, paused, overlap, policy } of steps) {
        const now = world.clock.now() + passSeconds * SECOND;
        // Where nothing is worked off meanwhile, all of it is owed.
        if (isLate) world.clock.set(now);
        else await world.until(now);
        await world.put('s', { everySeconds, paused, overlap, misfire: { policy } });
        came += since(now) - counted;
        const period = everySeconds * SECOND;
        if (period === from.period) counted = since(now);
        else [from, counted] = [{ anchor: now, period }, 0];
      }
      await world.put('s', { everySeconds: 86_400, paused: false, overlap: 'allow' });
      await world.until(world.clock.now() + 3 * MINUTE);
      expect(await told(world)).toBe(came);
    }),
    { numRuns: 150 },
  );
});
