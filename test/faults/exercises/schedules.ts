import type { Overlap, ScheduleTask } from '@sluice/contracts';
import { SCHEDULE_DIRECTORY_SHARDS, shardNumbers } from '../../../adapters/aws/keys.ts';
import { taskIdOf } from '../../../core/schedules/submit-occurrence.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { comesTo, deleteRow } from './scenes.ts';
import {
  allTold,
  cancelFires,
  counted,
  deleteSchedule,
  ended,
  forgetEverywhere,
  HOUR_MS,
  isArmed,
  NAME,
  noteEverywhere,
  oneAfterTheOther,
  putInTime,
  recent,
  standsStill,
  submitted,
  TASK,
} from './schedule-scenes.ts';
import { CANCEL, COMMIT_FIRE, NOTE_RUN, PAUSE_SCHEDULE, READ, WRITE_CHAINED } from './sites.ts';

const DAY_MS = 86_400_000;
/** What takes twice as long as the time between two. Where the older one is cancelled it fails first: a success of it would win. */
const slow = (overlap: Overlap): ScheduleTask => ({
  type: TYPES.event,
  payload: { do: overlap === 'cancel' ? 'fail-once' : 'ok', ms: 4_000 },
});
const EVERY = { everySeconds: 2, task: TASK } as const;
/** What each policy comes to when tasks take twice as long as the time between two. */
const OVERLAPS = [
  { overlap: 'skip', what: 'one is skipped', holds: async (stage) => (await recent(stage)).some(({ did }) => did === 'skipped') },
  {
    overlap: 'buffer',
    what: 'one that waited is submitted',
    holds: async (stage) => {
      const ones = await recent(stage);
      const waited = new Set(ones.flatMap(({ did, at }) => (did === 'waiting' ? [at] : [])));
      return ones.some(({ did, at }) => did === 'submitted' && waited.has(at));
    },
  },
  {
    overlap: 'cancel',
    what: 'one is cancelled',
    holds: async (stage) => {
      for await (const _ of stage.client.list({ state: 'cancelled', from: new Date(Date.now() - HOUR_MS) })) return true;
      return false;
    },
  },
] as const satisfies { overlap: Overlap; what: string; holds: (stage: Stage) => Promise<boolean> }[];

/** Schedules: what `api` does with them, `system` at their times, and `timers` with those that stand still. */
export const schedules: readonly Exercise[] = [
  {
    name: 'fires a schedule until it is deleted',
    run: async (stage) => {
      await stage.client.schedules.put(NAME, EVERY);
      const names: string[] = [];
      await submitted(stage, 2);
      for await (const { name } of stage.client.schedules.list()) names.push(name);
      if (names.join() !== NAME) throw new Error(`the list is ${names.join()}`);
      await allTold(stage);
      await ended(stage);
    },
  },
  {
    name: 'pauses, resumes and runs a schedule',
    run: async (stage) => {
      await stage.client.schedules.put(NAME, EVERY);
      await stage.client.schedules.pause(NAME);
      const { id } = await stage.client.schedules.run(NAME, { id: 'by-hand' });
      await stage.ends(id, { state: 'succeeded', attempts: 1 });
      await stage.client.schedules.resume(NAME);
      await submitted(stage, 1);
      await allTold(stage);
      await ended(stage);
    },
  },
  ...OVERLAPS.map(({ overlap, what, holds }): Exercise => ({
    name: `fires a schedule whose tasks overlap: ${overlap}`,
    run: async (stage) => {
      await stage.client.schedules.put(NAME, { everySeconds: 2, overlap, task: slow(overlap) });
      await submitted(stage, 2);
      await stage.until(what, () => holds(stage));
      await allTold(stage);
      const rows = await ended(stage);
      if (overlap !== 'cancel') oneAfterTheOther(rows);
    },
  })),
  {
    name: 'fires a schedule of far times',
    run: async (stage) => {
      await putInTime(stage);
      await submitted(stage, 1);
      await allTold(stage);
      await ended(stage);
      await cancelFires(stage);
    },
  },
  {
    name: 'cancels an occurrence that is deleted meanwhile',
    run: async (stage) => {
      const cancel = { ...CANCEL, fn: 'system' };
      const deleted: string[] = [];
      const task = { ...TASK, type: TYPES.narrow };
      await comesTo(stage, { ...cancel, command: READ.row }, async (n, comes) => {
        // Its occurrences wait behind another task, so that there is something to cancel, and hold no permit.
        await stage.submit(`other-${n}`, TYPES.narrow, { do: 'ok', ms: 7_000 });
        await stage.running(`other-${n}`);
        const armed = stage.arm({ ...cancel, kind: 'delay' });
        await stage.client.schedules.put(NAME, { everySeconds: 2, overlap: 'cancel', task });
        await armed.whenFired();
        const { open = [] } = (await stage.world.schedules.get(stage.tenant, NAME)) ?? {};
        for (const id of open) await deleteRow(stage, id);
        deleted.push(...open);
        await comes();
      });
      // It goes on without it.
      const before = await counted(stage);
      await stage.until('later ones are submitted', async () => (await counted(stage)) > before + 1);
      const { open = [] } = (await stage.world.schedules.get(stage.tenant, NAME)) ?? {};
      if (open.some((id) => deleted.includes(id))) throw new Error(`one that is gone is still to be cancelled: ${open.join()}`);
      await allTold(stage);
      await ended(stage, deleted);
    },
  },
  {
    name: 'fires a schedule that is deleted meanwhile',
    run: async (stage) => {
      await comesTo(stage, { ...COMMIT_FIRE, command: READ.schedule }, async (_, comes) => {
        const armed = stage.arm({ ...COMMIT_FIRE, kind: 'delay' });
        await stage.client.schedules.put(NAME, EVERY);
        await armed.whenFired();
        await deleteSchedule(stage);
        await comes();
      });
      await ended(stage);
    },
  },
  ...[
    { site: { ...WRITE_CHAINED, fn: 'api' }, call: (stage: Stage) => stage.client.schedules.put(NAME, { ...EVERY, everySeconds: 3 }) },
    { site: PAUSE_SCHEDULE, call: (stage: Stage) => stage.client.schedules.pause(NAME) },
    { site: NOTE_RUN, call: (stage: Stage) => stage.client.schedules.run(NAME, { id: 'by-hand' }) },
  ].map(({ site, call }): Exercise => ({
    name: `loses a schedule that is deleted meanwhile ${site.fn}: ${site.port}`,
    run: async (stage) => {
      await stage.client.schedules.put(NAME, EVERY);
      const armed = stage.arm({ ...site, kind: 'delay' });
      // It fails for what it was about, or has been done before that was gone.
      const called = call(stage).catch(() => undefined);
      await Promise.race([armed.whenFired(), called]);
      await deleteSchedule(stage);
      await called;
      await ended(stage);
    },
  })),
  {
    name: 'arms a schedule that stands still',
    ticks: ['timers'],
    run: async (stage) => {
      const at = await standsStill(stage, {});
      await isArmed(stage);
      await stage.ends(taskIdOf(NAME, at), { state: 'succeeded', attempts: 1 });
      await ended(stage);
      await cancelFires(stage);
    },
  },
  {
    name: 'arms an occurrence for which nobody waits',
    ticks: ['timers'],
    run: async (stage) => {
      const waiting = Date.now() - HOUR_MS;
      await standsStill(stage, { next: Date.now() + DAY_MS, waiting });
      await isArmed(stage);
      await stage.ends(taskIdOf(NAME, waiting), { state: 'succeeded', attempts: 1 });
      await ended(stage);
      await cancelFires(stage);
    },
  },
  {
    name: 'does not arm a schedule that is deleted meanwhile',
    run: async (stage) => {
      const write = { ...WRITE_CHAINED, fn: 'timers' };
      await comesTo(stage, { ...write, command: READ.schedule }, async (_, comes) => {
        const armed = stage.arm({ ...write, kind: 'delay' });
        await standsStill(stage, {});
        await armed.whenFired();
        await deleteSchedule(stage);
        await comes();
        if (await stage.world.schedules.get(stage.tenant, NAME)) throw new Error('the schedule is there again');
      });
      await forgetEverywhere(stage, NAME);
      await cancelFires(stage);
    },
  },
  {
    name: 'forgets the entry of a schedule that never was',
    ticks: ['timers'],
    run: async (stage) => {
      await noteEverywhere(stage, NAME, Date.now() - HOUR_MS);
      await stage.until('the entry is gone', async () => {
        const parts = await Promise.all(shardNumbers(SCHEDULE_DIRECTORY_SHARDS).map((n) => stage.world.schedules.noted(n)));
        return parts.flat().filter(({ tenant }) => tenant === stage.tenant).length < SCHEDULE_DIRECTORY_SHARDS;
      });
      await forgetEverywhere(stage, NAME);
    },
  },
];
