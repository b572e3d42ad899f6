import { hasBacklog, livePermits } from '../../../core/permits/cells.ts';
import { hintOf } from '../../../core/tasks/state.ts';
import { TYPES } from '../app/types.ts';
import type { Exercise } from './exercise.ts';
import { rowWithoutHint } from './scenes.ts';

const IDS = ['first', 'second', 'third', 'fourth'];
/** Older than the note of a lane that is still renewed. */
const FORGOTTEN_MS = 10 * 60_000;

/** Lanes that are full: their tasks wait in the backlog, and the release of a permit or the minute brings them out. */
export const backlogs: readonly Exercise[] = [
  ...[TYPES.narrow, TYPES.narrowWait].map((type): Exercise => ({
    name: `works off a backlog ${type}`,
    run: async (stage) => {
      for (const id of IDS) await stage.submit(id, type, { do: 'ok', ms: 300 });
      await Promise.all(IDS.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
      const lane = { tenant: stage.tenant, type };
      await stage.until('its backlog is empty', async () => (await stage.world.backlog.first(lane, 1)).length === 0);
      await stage.until('its flag is down', async () => !hasBacklog(await stage.world.permits.read(lane, 0)));
    },
  })),
  {
    name: 'renews the note of a lane that somebody else has noted later',
    run: async (stage) => {
      await stage.world.backlog.register({ tenant: stage.tenant, type: TYPES.narrow }, Date.now() + 30_000);
      for (const id of IDS) await stage.submit(id, TYPES.narrow, { do: 'ok', ms: 300 });
      await Promise.all(IDS.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
    },
  },
  {
    name: 'takes the place of an expired permit in a full lane',
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      await stage.world.permits.acquire(lane, 0, [{ expiry: Date.now() - 60_000, nonce: 'forgotten' }], 1);
      await stage.submit('task', TYPES.narrow, { do: 'ok' });
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'is woken by the minute when nobody tells a lane',
    ticks: ['timers'],
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      const row = await rowWithoutHint(stage, 'task', TYPES.narrow, Date.now());
      await stage.world.backlog.register(lane, Date.now());
      await stage.world.backlog.put(lane, [hintOf(row, Date.now())]);
      await stage.world.permits.raise(lane, 0);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'finds what was put into a backlog under a flag that is down',
    ticks: ['timers'],
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      const row = await rowWithoutHint(stage, 'task', TYPES.narrow, Date.now());
      await stage.world.backlog.put(lane, [hintOf(row, Date.now())]);
      await stage.world.backlog.register(lane, Date.now() - FORGOTTEN_MS);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'forgets a lane whose backlog is empty',
    ticks: ['timers'],
    run: async (stage) => {
      const lane = { tenant: stage.tenant, type: TYPES.narrow };
      await stage.world.backlog.register(lane, Date.now() - FORGOTTEN_MS);
      await stage.until('the note is gone', async () => {
        const noted = await stage.world.backlog.lanes();
        return !noted.some((note) => note.lane.tenant === stage.tenant);
      });
      const cell = await stage.world.permits.read(lane, 0);
      if (livePermits(cell, Date.now()).length > 0) throw new Error('a lane without tasks holds a permit');
    },
  },
];
