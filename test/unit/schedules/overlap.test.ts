import { describe, expect, it } from 'vitest';
import { getSchedule, pauseSchedule, resumeSchedule, runSchedule } from '../../../core/schedules/manage.ts';
import { held as heldRuns } from '../../helpers/held-runs.ts';
import { createScheduleWorld, timesOf } from '../../helpers/schedule-world.ts';

const T = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const worldAt = (now: number, over = {}) => createScheduleWorld({ now, ...over });
const times = (world: ReturnType<typeof worldAt>) => timesOf(world.jobs());

describe('overlap', () => {
  function held(overlap: string) {
    const runs = heldRuns();
    const world = worldAt(T, { launch: runs.launch });
    const end = async () => {
      await runs.endAll();
      await world.settleOnce();
    };
    const start = async () => {
      await world.put('s', { everySeconds: 60, overlap });
      await world.until(T + 65 * SECOND);
    };
    return { world, end, start, states: () => world.jobs().map(({ state, cancelAt }) => (cancelAt ? 'cancelling' : state)) };
  }

  it('is allowed by default', async () => {
    const { world, start, states } = held('allow');
    await start();
    await world.until(T + 125 * SECOND);
    expect(states()).toEqual(['running', 'running']);
  });

  it('skips what comes too early, and tells it', async () => {
    const { world, end, start } = held('skip');
    await start();
    await world.until(T + 125 * SECOND);
    await end();
    await world.until(T + 185 * SECOND);
    expect(times(world).map((t) => t.slice(14, 16))).toEqual(['01', '03']);
    const { counts, recent } = await world.record('s');
    expect(counts).toMatchObject({ submitted: 2, skipped: 1 });
    expect(recent.map(({ did }) => did)).toEqual(['submitted', 'skipped', 'submitted']);
  });

  it('lets one wait, free of charge, and skips the others', async () => {
    const { world, end, start } = held('buffer');
    await start();
    await world.until(T + 4 * MINUTE - 10 * SECOND);
    expect(await getSchedule(world.deps, 'a', 's')).toMatchObject({ waiting: '2026-01-01T00:02:00.000Z', counts: { skipped: 1 } });
    const waiter = world.tasks.rows().find(({ id }) => id.startsWith('sluice:wait:'));
    expect(waiter).toMatchObject({ attempts: 0, state: 'waiting' });
    expect(waiter?.throttled).toBeGreaterThan(3);
    await end();
    await world.until(T + 4 * MINUTE + 5 * SECOND);
    expect(times(world).map((t) => t.slice(14, 16))).toEqual(['01', '02']);
    expect(await world.record('s')).toMatchObject({ counts: { submitted: 2, skipped: 1 }, waiting: T + 4 * MINUTE });
  });

  it('keeps what waits over a pause, and lets it run once', async () => {
    const { world, end, start } = held('buffer');
    await start();
    await world.until(T + 125 * SECOND);
    await pauseSchedule(world.deps, 'a', 's');
    await end();
    await world.until(T + 5 * MINUTE);
    expect(times(world).map((t) => t.slice(14, 16))).toEqual(['01']);
    expect(await world.record('s')).toMatchObject({ state: 'paused', waiting: T + 2 * MINUTE, next: T + 3 * MINUTE });
    await resumeSchedule(world.deps, 'a', 's');
    await world.until(T + 5 * MINUTE + 10 * SECOND);
    await end();
    await world.until(T + 8 * MINUTE);
    await end();
    expect(world.fired.filter(({ id }) => id === 's@2026-01-01T00:02:00Z')).toHaveLength(1);
  });

  it('cancels the older one', async () => {
    const { world, end, start, states } = held('cancel');
    await start();
    await world.until(T + 125 * SECOND);
    expect(states()).toEqual(['cancelling', 'running']);
    await end();
    expect(states()[1]).toBe('succeeded');
  });

  it('sees what was run by hand', async () => {
    const { world, start } = held('skip');
    await world.put('s', { everySeconds: 60, overlap: 'skip' });
    const { id } = await runSchedule(world.deps, 'a', 's', undefined);
    await start();
    expect(world.jobs().map((row) => row.id)).toEqual([id]);
    expect((await world.record('s')).recent.map(({ did }) => did)).toEqual(['skipped', 'run']);
  });
});
