import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { SYSTEM_TYPES, type ScheduleRecord } from '@sluice/contracts';
import { SCHEDULE_DIRECTORY_SHARDS, scheduleDirectory, scheduleKey, shardNumbers } from '../../../adapters/aws/keys.ts';
import { systemRandom } from '../../../adapters/system.ts';
import { taskIdOf } from '../../../core/schedules/submit-occurrence.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import { again } from './again.ts';
import type { Exercise } from './exercise.ts';
import { deleteRow } from './scenes.ts';
import { CANCEL, COMMIT_FIRE, NOTE_RUN, PAUSE_SCHEDULE, WRITE_CHAINED } from './sites.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Longer than an occurrence may be late before it counts as lost. */
const STILL_MS = 10 * 60_000;
const NAME = 'often';
const TASK = { type: TYPES.event, payload: { do: 'ok' } } as const;
const SLOW = { type: TYPES.event, payload: { do: 'ok', ms: 4_000 } } as const;
const EVERY = { everySeconds: 2, task: TASK } as const;

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
      await ended(stage);
    },
  },
  ...(['skip', 'buffer', 'cancel'] as const).map((overlap): Exercise => ({
    name: `fires a schedule whose tasks overlap: ${overlap}`,
    run: async (stage) => {
      await stage.client.schedules.put(NAME, { everySeconds: 2, overlap, task: SLOW });
      await submitted(stage, 2);
      await ended(stage);
    },
  })),
  {
    name: 'fires a schedule of far times',
    run: async (stage) => {
      await stage.client.schedules.put(NAME, { everySeconds: 3_600, start: new Date(Date.now() + 3_000).toISOString(), task: TASK });
      await submitted(stage, 1);
      await ended(stage);
      await cancelFires(stage);
    },
  },
  {
    name: 'cancels an occurrence that is deleted meanwhile',
    run: async (stage) => {
      // It waits behind another, so that it holds no permit until its lease is over.
      await stage.submit('other', TYPES.narrow, { do: 'ok', ms: 7_000 });
      await stage.running('other');
      await stage.client.schedules.put(NAME, { everySeconds: 2, overlap: 'cancel', task: { ...TASK, type: TYPES.narrow } });
      const [task = ''] = await submitted(stage, 1);
      const armed = stage.arm({ ...CANCEL, fn: 'system', kind: 'delay' });
      await Promise.race([armed.whenFired(), submitted(stage, 3)]);
      await deleteRow(stage, task);
      await submitted(stage, 2);
      await ended(stage, [task]);
    },
  },
  ...[
    { site: { ...WRITE_CHAINED, fn: 'api' }, call: (stage: Stage) => stage.client.schedules.put(NAME, { ...EVERY, everySeconds: 3 }) },
    { site: PAUSE_SCHEDULE, call: (stage: Stage) => stage.client.schedules.pause(NAME) },
    { site: NOTE_RUN, call: (stage: Stage) => stage.client.schedules.run(NAME, { id: 'by-hand' }) },
    { site: COMMIT_FIRE, call: async () => undefined },
  ].map(({ site, call }): Exercise => ({
    name: `loses a schedule that is deleted meanwhile ${site.fn}: ${site.port}`,
    run: async (stage) => {
      await stage.client.schedules.put(NAME, EVERY);
      const armed = stage.arm({ ...site, kind: 'delay' });
      // It fails for what it was about, or has been done before that was gone.
      const called = call(stage).catch(() => undefined);
      await Promise.race([armed.whenFired(), ...(site === COMMIT_FIRE ? [] : [called])]);
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
      const armed = stage.arm({ ...WRITE_CHAINED, fn: 'timers', kind: 'delay' });
      await standsStill(stage, {});
      await armed.whenFired();
      await deleteSchedule(stage);
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

/** Tasks that a schedule has submitted, once there are so many. */
async function submitted(stage: Stage, count: number): Promise<string[]> {
  let tasks: string[] = [];
  await stage.until(`${count} occurrences are submitted`, async () => {
    const record = await stage.world.schedules.get(stage.tenant, NAME);
    tasks = (record?.recent ?? []).flatMap(({ did, task }) => (did === 'submitted' && task !== undefined ? [task] : []));
    return tasks.length >= count;
  });
  return tasks;
}

/** Deletes a schedule. Whatever it has submitted must come to its end. */
async function ended(stage: Stage, but: readonly string[] = []): Promise<void> {
  await again(() => stage.client.schedules.pause(NAME), 'not_found');
  const record = await stage.world.schedules.get(stage.tenant, NAME);
  await again(() => stage.client.schedules.delete(NAME), 'not_found');
  await forgetEverywhere(stage, NAME);
  const tasks = (record?.recent ?? []).flatMap(({ task }) => task ?? []);
  for (const id of tasks.filter((task) => !but.includes(task))) await stage.ends(id, { state: ['succeeded', 'cancelled'] });
}

/** Cancels what would fire in an hour or a day: it would find its schedule gone. */
async function cancelFires(stage: Stage): Promise<void> {
  for await (const { id } of stage.client.list({ type: SYSTEM_TYPES.fire, state: 'waiting' })) {
    await again(() => stage.client.cancel(id), 'state_conflict');
  }
}

async function deleteSchedule({ world: { clients, table: TableName }, tenant }: Stage): Promise<void> {
  await clients.dynamodb.send(new DeleteCommand({ TableName, Key: scheduleKey(tenant, NAME) }));
}

/** A schedule without the task that fires it, as if somebody had deleted that. @returns its next occurrence */
async function standsStill(stage: Stage, over: Partial<ScheduleRecord>): Promise<number> {
  const now = Date.now();
  const next = now - STILL_MS;
  const spec = { everySeconds: 3_600, timezone: 'UTC', jitterSeconds: 0, overlap: 'buffer', misfire: { policy: 'once' } } as const;
  const record: ScheduleRecord = {
    v: 1,
    tenant: stage.tenant,
    name: NAME,
    seq: 1,
    by: 'scene',
    chain: systemRandom.ulid(next),
    state: 'active',
    spec: { ...spec, task: JSON.stringify(TASK) },
    anchor: next,
    createdAt: next,
    updatedAt: next,
    since: next,
    next,
    open: [],
    recent: [],
    counts: { submitted: 0, skipped: 0, missed: 0, failed: 0 },
    ...over,
  };
  await stage.world.schedules.put(stage.tenant, record, undefined);
  await noteEverywhere(stage, NAME, next);
  return next;
}

/** Waits until a tick has armed it, and has no other tick look at it: they come each second here, before the task has run. */
async function isArmed(stage: Stage): Promise<void> {
  await stage.until('it is armed', async () => ((await stage.world.schedules.get(stage.tenant, NAME))?.seq ?? 0) > 1);
  await forgetEverywhere(stage, NAME);
}

/** Notes a schedule in all parts of the directory, for a tick looks at one of them. */
async function noteEverywhere({ world: { clients, table: TableName }, tenant }: Stage, name: string, at: number): Promise<void> {
  for (const n of shardNumbers(SCHEDULE_DIRECTORY_SHARDS)) {
    await clients.dynamodb.send(new PutCommand({ TableName, Item: { p: scheduleDirectory(n), s: `${tenant}#${name}`, at } }));
  }
}

async function forgetEverywhere({ world: { clients, table: TableName }, tenant }: Stage, name: string): Promise<void> {
  for (const n of shardNumbers(SCHEDULE_DIRECTORY_SHARDS)) {
    await clients.dynamodb.send(new DeleteCommand({ TableName, Key: { p: scheduleDirectory(n), s: `${tenant}#${name}` } }));
  }
}
