import { SYSTEM_TYPES } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createFireHandler } from '../../../core/schedules/fire.ts';
import {
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  previewTimes,
  resumeSchedule,
  runSchedule,
} from '../../../core/schedules/manage.ts';
import { createScheduleWorld, timesOf } from '../../helpers/schedule-world.ts';
import { held as heldRuns } from '../../helpers/held-runs.ts';

const T = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
const worldAt = (now = T, over = {}) => createScheduleWorld({ now, ...over });
const times = (world: ReturnType<typeof worldAt>) => timesOf(world.jobs());
const secondsLate = (world: ReturnType<typeof worldAt>) => world.fired.map(({ at, id }) => at - Date.parse(id.split('@')[1] ?? ''));

describe('a schedule', () => {
  it('fires at its times, and its tasks bear them', async () => {
    const world = worldAt();
    const { schedule, isNew } = await world.put('quarterly', { cron: '*/15 * * * *' });
    expect({ isNew, state: schedule.state, first: schedule.nextRuns[0] }).toEqual({
      isNew: true,
      state: 'active',
      first: '2026-01-01T00:15:00.000Z',
    });
    await world.until(T + 46 * MINUTE);
    expect(world.jobs().map(({ id }) => id)).toEqual([
      'quarterly@2026-01-01T00:15:00Z',
      'quarterly@2026-01-01T00:30:00Z',
      'quarterly@2026-01-01T00:45:00Z',
    ]);
    expect(secondsLate(world)).toEqual([0, 0, 0]);
    expect(await getSchedule(world.deps, 'a', 'quarterly')).toMatchObject({
      nextRuns: expect.arrayContaining(['2026-01-01T01:00:00.000Z']),
      recent: [{ at: '2026-01-01T00:45:00.000Z', did: 'submitted', task: 'quarterly@2026-01-01T00:45:00Z', state: 'succeeded' }, {}, {}],
      counts: { submitted: 3, skipped: 0, missed: 0, failed: 0 },
    });
  });

  it('over weeks with both changes of the clocks fires when its preview said', async () => {
    for (const [from, days] of [
      ['2026-03-20T12:00:00Z', 14],
      ['2026-10-20T12:00:00Z', 14],
    ] as const) {
      const world = worldAt(Date.parse(from));
      const spec = { timezone: 'Europe/Berlin', task: { type: 'job' } };
      await world.put('daily', { ...spec, cron: '30 2 * * *' });
      await world.put('hourly', { ...spec, cron: '0 * * * *' });
      const said = (cron: string, n: number) =>
        previewTimes(world.deps, { ...spec, cron, n }).times.map(({ at }) => at.replace('.000Z', 'Z'));
      const daily = said('30 2 * * *', days);
      const hourly = [...said('0 * * * *', 100)];
      await world.until(Date.parse(from) + days * DAY);
      const of = (name: string) => timesOf(world.jobs().filter(({ id }) => id.startsWith(`${name}@`)));
      expect(of('daily')).toEqual(daily);
      expect(of('hourly').slice(0, 100)).toEqual(hourly);
      expect(of('hourly')).toHaveLength(days * 24);
      expect(new Set(secondsLate(world))).toEqual(new Set([0]));
    }
  });

  it('of every second misses none', async () => {
    const world = worldAt();
    await world.put('tick', { everySeconds: 1 });
    await world.until(T + 5 * MINUTE);
    expect(world.fired).toHaveLength(300);
    expect(new Set(secondsLate(world))).toEqual(new Set([0]));
  });

  it('with jitter comes within its window, at the same time however often it is asked', async () => {
    const world = worldAt();
    await world.put('spread', { everySeconds: 600, jitterSeconds: 300 });
    await world.until(T + 2 * 3_600 * SECOND);
    const late = secondsLate(world);
    expect(late.length).toBeGreaterThanOrEqual(11);
    expect(late.every((ms) => ms >= 0 && ms <= 301 * SECOND)).toBe(true);
    expect(new Set(late).size).toBeGreaterThan(5);
  });

  it('begins and ends where it is told to, and then has ended', async () => {
    const world = worldAt();
    await world.put('short', { everySeconds: 60, start: '2026-01-01T00:10:00Z', end: '2026-01-01T00:12:00Z' });
    await world.until(T + 3_600 * SECOND);
    expect(times(world)).toEqual(['2026-01-01T00:10:00Z', '2026-01-01T00:11:00Z']);
    expect(await getSchedule(world.deps, 'a', 'short')).toMatchObject({ state: 'ended', nextRuns: [] });
    await expect(pauseSchedule(world.deps, 'a', 'short')).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it('of a day in years reaches it in steps', async () => {
    const world = worldAt();
    await world.put('leap', { cron: '0 0 29 2 +MON' });
    const { next = 0 } = await world.record('leap');
    expect(new Date(next).toISOString()).toBe('2044-02-29T00:00:00.000Z');
    const fire = createFireHandler(world.deps);
    const steps: number[] = [];
    for (let at = 0; at < next;) {
      const row = world.tasks.rows().findLast(({ type }) => type === SYSTEM_TYPES.fire);
      const payload = JSON.parse(row?.payload.in === 'row' ? row.payload.json : '{}') as { legs?: number };
      at = row?.at ?? next;
      steps.push(payload.legs ?? 0);
      world.clock.set(at);
      await fire(payload, { tenant: 'a', id: row?.id ?? '', uid: row?.uid ?? '', fence: 1, attempt: 1, deadline: at + MINUTE });
    }
    expect(steps).toEqual(Array.from({ length: 19 }, (_, n) => 18 - n));
    expect(times(world)).toEqual(['2044-02-29T00:00:00Z']);
  });

  it('gives its task what it says', async () => {
    const world = worldAt();
    const task = {
      type: 'job',
      payload: { n: 0.1 },
      priority: 'high',
      labels: { team: 'x' },
      retry: { maxAttempts: 2 },
      expiresAfterSeconds: 90,
    };
    await world.put('whole', { everySeconds: 60, task });
    await world.until(T + 61 * SECOND);
    const [row] = world.jobs();
    expect(row).toMatchObject({ priority: 'high', labels: { team: 'x' }, retry: { maxAttempts: 2 }, payload: { json: '{"n":0.1}' } });
    expect((row?.expiresAt ?? 0) - (row?.acceptedAt ?? 0)).toBe(90 * SECOND);
    expect((await getSchedule(world.deps, 'a', 'whole')).task).toEqual(task);
  });
});

describe('a pause', () => {
  it.each([
    ['skip', undefined, []],
    ['once', undefined, ['00:50']],
    ['all', 2, ['00:40', '00:50']],
  ] as const)('is caught up by the misfire policy: %s', async (policy, max, caughtUp) => {
    const world = worldAt();
    await world.put('s', { cron: '*/10 * * * *', misfire: { policy, ...(max && { max }) } });
    await world.until(T + 11 * MINUTE);
    expect(await pauseSchedule(world.deps, 'a', 's')).toMatchObject({ state: 'paused' });
    expect(await pauseSchedule(world.deps, 'a', 's')).toMatchObject({ state: 'paused' });
    await world.until(T + 55 * MINUTE);
    expect(times(world)).toEqual(['2026-01-01T00:10:00Z']);
    expect(await resumeSchedule(world.deps, 'a', 's')).toMatchObject({ state: 'active' });
    await world.until(T + 61 * MINUTE);
    expect(times(world).map((t) => t.slice(11, 16))).toEqual(['00:10', ...caughtUp, '01:00']);
    expect((await world.record('s')).counts).toMatchObject({ missed: 4 - caughtUp.length });
  });

  it('that was shorter than a minute misses nothing', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 10, misfire: { policy: 'skip' } });
    await pauseSchedule(world.deps, 'a', 's');
    await world.until(T + 45 * SECOND);
    await resumeSchedule(world.deps, 'a', 's');
    await world.until(T + 51 * SECOND);
    expect(world.jobs()).toHaveLength(5);
  });

  it('may be the beginning', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60, paused: true, misfire: { policy: 'skip' } });
    await world.until(T + 10 * MINUTE);
    expect(world.tasks.rows()).toEqual([]);
    await world.put('s', { everySeconds: 60, paused: false, misfire: { policy: 'skip' } });
    await world.until(T + 12 * MINUTE + 1);
    expect(world.jobs().length).toBeGreaterThanOrEqual(2);
  });
});

describe('an update', () => {
  it('that changes nothing changes nothing', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60 });
    const before = await world.record('s');
    expect(await world.put('s', { everySeconds: 60 })).toMatchObject({ isNew: false });
    expect(await world.record('s')).toEqual(before);
  });

  it('of its times leaves nothing of the old ones, and of the new nothing from before', async () => {
    const world = worldAt();
    await world.put('s', { cron: '*/10 * * * *' });
    await world.until(T + 11 * MINUTE);
    await world.put('s', { cron: '5/20 * * * *'.replace('5/20', '5-59/20') });
    await world.until(T + 50 * MINUTE);
    expect(times(world).map((t) => t.slice(11, 16))).toEqual(['00:10', '00:25', '00:45']);
  });

  it('loses no occurrence whose time has come and that was not decided', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60 });
    world.clock.set(T + 60 * SECOND + 300);
    await world.put('s', { everySeconds: 3_600 });
    await world.until(T + 2 * MINUTE);
    expect(times(world)).toEqual(['2026-01-01T00:01:00Z']);
  });

  it('of its task is what the next occurrence submits', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60, task: { type: 'job', payload: 1 } });
    await world.until(T + 61 * SECOND);
    await world.put('s', { everySeconds: 60, task: { type: 'job', payload: 2 } });
    await world.until(T + 121 * SECOND);
    expect(world.jobs().map(({ payload }) => payload)).toEqual([
      { in: 'row', json: '1' },
      { in: 'row', json: '2' },
    ]);
  });
});

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

describe('a run by hand', () => {
  it('is a task at once, whatever the state, and one for one id', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 3_600, paused: true });
    expect(await runSchedule(world.deps, 'a', 's', 'by-hand')).toMatchObject({ id: 'by-hand', deduplicated: false });
    expect(await runSchedule(world.deps, 'a', 's', 'by-hand')).toMatchObject({ id: 'by-hand', deduplicated: true });
    await world.until(T + MINUTE);
    expect(world.fired).toMatchObject([{ id: 'by-hand' }]);
    expect((await world.record('s')).recent).toMatchObject([{ did: 'run', task: 'by-hand' }]);
    expect((await world.record('s')).state).toBe('paused');
  });
});

describe('an occurrence whose task is refused', () => {
  it('fails with its reason, and the others go on', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60 });
    await world.submit('a', { type: 'job', id: 's@2026-01-01T00:01:00Z', payload: 'mine' });
    await world.until(T + 121 * SECOND);
    const { recent, counts } = await world.record('s');
    expect(recent).toMatchObject([{ did: 'submitted' }, { did: 'failed', reason: expect.stringContaining('id_conflict') }]);
    expect(counts).toMatchObject({ submitted: 1, failed: 1 });
  });

  it('that has failed meanwhile is not run again by a repeat', async () => {
    const world = worldAt(T, {
      handlers: {
        job: () => {
          throw Object.assign(new Error('no'), { name: 'FatalError' });
        },
      },
    });
    await world.put('s', { everySeconds: 60 });
    await world.until(T + 61 * SECOND);
    const [row] = world.jobs();
    expect(row?.state).toBe('failed');
    const record = await world.record('s');
    // As if the schedule's own write had been lost.
    await world.schedules.put('a', { ...record, seq: record.seq + 1, next: T + 60 * SECOND, chain: record.chain }, record.seq);
    await world.until(T + 121 * SECOND);
    expect(world.jobs().find(({ id }) => id === row?.id)?.uid).toBe(row?.uid);
    expect(world.jobs()).toHaveLength(2);
  });
});

describe('a schedule that is deleted', () => {
  it('fires no more, and is another one when it is made again', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60 });
    await world.until(T + 61 * SECOND);
    await deleteSchedule(world.deps, 'a', 's');
    await expect(deleteSchedule(world.deps, 'a', 's')).rejects.toMatchObject({ code: 'not_found' });
    await world.until(T + 11 * MINUTE);
    expect(world.jobs()).toHaveLength(1);
    expect(
      world.tasks
        .rows()
        .filter(({ type }) => type === SYSTEM_TYPES.fire)
        .map(({ state }) => state),
    ).toEqual(['succeeded', 'succeeded']);
    const now = world.clock.now();
    expect(await world.put('s', { everySeconds: 3_600 })).toMatchObject({ isNew: true, schedule: { counts: { submitted: 0 } } });
    await world.until(now + 3_601 * SECOND);
    expect(world.jobs()).toHaveLength(2);
  });
});

describe('tenants', () => {
  it('have schedules of their own', async () => {
    const world = worldAt();
    await world.put('s', { everySeconds: 60 });
    await world.put('s', { everySeconds: 120 }, world.deps, 'b');
    for (const call of [getSchedule, pauseSchedule, resumeSchedule, deleteSchedule])
      await expect(call(world.deps, 'c', 's')).rejects.toMatchObject({ code: 'not_found' });
    await pauseSchedule(world.deps, 'b', 's');
    expect((await world.record('s')).state).toBe('active');
    expect((await listSchedules(world.deps, 'a', {})).schedules.map(({ everySeconds }) => everySeconds)).toEqual([60]);
    expect((await listSchedules(world.deps, 'c', {})).schedules).toEqual([]);
  });

  it('list them by name, page by page', async () => {
    const world = worldAt();
    for (const name of ['c', 'a', 'e', 'b', 'd']) await world.put(name, { everySeconds: 3_600 });
    const first = await listSchedules(world.deps, 'a', { limit: 2 });
    const second = await listSchedules(world.deps, 'a', { limit: 3, cursor: first.cursor ?? '' });
    expect([...first.schedules, ...second.schedules].map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(second.cursor).toBeUndefined();
    await expect(listSchedules(world.deps, 'a', { cursor: 'x' })).rejects.toMatchObject({ code: 'bad_cursor' });
  });
});

describe('a preview', () => {
  it('tells the next times, in UTC and as clocks show them', async () => {
    const world = worldAt(Date.parse('2026-03-27T12:00:00Z'));
    await world.put('s', { cron: '30 2 * * *', timezone: 'Europe/Berlin' });
    expect((await previewSchedule(world.deps, 'a', 's', 3)).times).toEqual([
      { at: '2026-03-28T01:30:00.000Z', local: '2026-03-28T02:30:00+01:00' },
      { at: '2026-03-29T01:00:00.000Z', local: '2026-03-29T03:00:00+02:00' },
      { at: '2026-03-30T00:30:00.000Z', local: '2026-03-30T02:30:00+02:00' },
    ]);
    await expect(previewSchedule(world.deps, 'b', 's', 3)).rejects.toMatchObject({ code: 'not_found' });
  });
});
