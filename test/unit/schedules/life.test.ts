import { SYSTEM_TYPES } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createFireHandler } from '../../../core/schedules/fire.ts';
import { deleteSchedule, getSchedule, pauseSchedule, previewTimes, resumeSchedule, runSchedule } from '../../../core/schedules/manage.ts';
import { createScheduleWorld, timesOf } from '../../helpers/schedule-world.ts';

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
      await fire(payload, {
        tenant: 'a',
        id: row?.id ?? '',
        uid: row?.uid ?? '',
        fence: 1,
        attempt: 1,
        throttled: 0,
        deadline: at + MINUTE,
      });
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
