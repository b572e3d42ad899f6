import { describe, expect, it } from 'vitest';
import {
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  resumeSchedule,
} from '../../../core/schedules/manage.ts';
import { createScheduleWorld } from '../../helpers/schedule-world.ts';

const worldAt = (now = Date.UTC(2026, 0, 1)) => createScheduleWorld({ now });

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
