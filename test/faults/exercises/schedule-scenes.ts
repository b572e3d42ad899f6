import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { isSystemName, SYSTEM_TYPES, type Occurrence, type ScheduleRecord, type TaskRow } from '@sluice/contracts';
import { SCHEDULE_DIRECTORY_SHARDS, scheduleDirectory, scheduleKey, shardNumbers } from '../../../adapters/aws/keys.ts';
import { systemRandom } from '../../../adapters/system.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import { again } from './again.ts';

/** The one schedule of a run. */
export const NAME = 'often';
export const TASK = { type: TYPES.event, payload: { do: 'ok' } } as const;
export const HOUR_MS = 3_600_000;
/** Longer than an occurrence may be late before it counts as lost. */
const STILL_MS = 10 * 60_000;

/** Puts a schedule of every hour that begins in some seconds: a put that was late has missed it, and is made again. */
export async function putInTime(stage: Stage): Promise<void> {
  await stage.until('the schedule is put before it begins', async () => {
    const start = Math.ceil(Date.now() / 1_000) * 1_000 + 3_000;
    await stage.client.schedules.put(NAME, { everySeconds: 3_600, start: new Date(start).toISOString(), task: TASK });
    return (await counted(stage)) > 0 || (await stage.world.schedules.get(stage.tenant, NAME))?.next === start;
  });
}

/** What a schedule remembers. */
export async function recent(stage: Stage): Promise<readonly Occurrence[]> {
  return (await stage.world.schedules.get(stage.tenant, NAME))?.recent ?? [];
}

/** So many occurrences are submitted. */
export async function submitted(stage: Stage, count: number): Promise<void> {
  await stage.until(`${count} occurrences are submitted`, async () => (await counted(stage)) >= count);
}

/** How many occurrences are submitted, of all. */
export async function counted(stage: Stage): Promise<number> {
  return (await stage.world.schedules.get(stage.tenant, NAME))?.counts.submitted ?? 0;
}

/** Pauses a schedule. It must have told of each of its occurrences what it did. */
export async function allTold(stage: Stage): Promise<void> {
  await stage.client.schedules.pause(NAME);
  const record = await stage.world.schedules.get(stage.tenant, NAME);
  const { spec, anchor, next, waiting, counts } = record ?? {};
  if (spec?.everySeconds === undefined || anchor === undefined || next === undefined || counts === undefined)
    throw new Error(`the schedule is not as it was put: ${JSON.stringify(record)}`);
  const period = spec.everySeconds * 1_000;
  const came = (next - (spec.start ?? anchor + period)) / period;
  const told = counts.submitted + counts.skipped + counts.missed + (waiting === undefined ? 0 : 1);
  if (told !== came || counts.failed > 0) throw new Error(`${came} occurrences came, ${told} were told of: ${JSON.stringify(record)}`);
}

/**
 * Deletes a schedule. Whatever it has submitted must come to its end, but for what was deleted.
 * @returns its tasks
 */
export async function ended(stage: Stage, deleted: readonly string[] = []): Promise<TaskRow[]> {
  await again(() => stage.client.schedules.pause(NAME), 'not_found');
  const record = await stage.world.schedules.get(stage.tenant, NAME);
  await again(() => stage.client.schedules.delete(NAME), 'not_found');
  await forgetEverywhere(stage, NAME);
  const tasks = new Set((record?.recent ?? []).flatMap(({ task }) => task ?? []));
  for (const id of deleted) tasks.delete(id);
  // What was submitted and not noted, because the schedule was gone or paused meanwhile, is there all the same.
  for await (const { id, type } of stage.client.list({ from: new Date(Date.now() - HOUR_MS) })) if (!isSystemName(type)) tasks.add(id);
  const rows: TaskRow[] = [];
  for (const id of tasks) rows.push(await stage.ends(id, { state: ['succeeded', 'cancelled'] }));
  return rows;
}

/** None was accepted before the one before it had ended. */
export function oneAfterTheOther(rows: readonly TaskRow[]): void {
  const sorted = rows.toSorted((a, b) => a.acceptedAt - b.acceptedAt);
  for (const [n, { id, acceptedAt }] of sorted.entries()) {
    const before = sorted[n - 1];
    if (before?.endedAt !== undefined && before.endedAt > acceptedAt) throw new Error(`${id} was submitted while ${before.id} ran`);
  }
}

/** Cancels what would fire in an hour or a day: it would find its schedule gone. */
export async function cancelFires(stage: Stage): Promise<void> {
  for await (const { id } of stage.client.list({ type: SYSTEM_TYPES.fire, state: 'waiting' })) {
    await again(() => stage.client.cancel(id), 'state_conflict');
  }
}

export async function deleteSchedule({ world: { clients, table: TableName }, tenant }: Stage): Promise<void> {
  await clients.dynamodb.send(new DeleteCommand({ TableName, Key: scheduleKey(tenant, NAME) }));
}

/** A schedule without the task that fires it, as if somebody had deleted that. @returns its next occurrence */
export async function standsStill(stage: Stage, over: Partial<ScheduleRecord>): Promise<number> {
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
export async function isArmed(stage: Stage): Promise<void> {
  await stage.until('it is armed', async () => ((await stage.world.schedules.get(stage.tenant, NAME))?.seq ?? 0) > 1);
  await forgetEverywhere(stage, NAME);
}

/** Notes a schedule in all parts of the directory, for a tick looks at one of them. */
export async function noteEverywhere({ world: { clients, table: TableName }, tenant }: Stage, name: string, at: number): Promise<void> {
  for (const n of shardNumbers(SCHEDULE_DIRECTORY_SHARDS)) {
    await clients.dynamodb.send(new PutCommand({ TableName, Item: { p: scheduleDirectory(n), s: `${tenant}#${name}`, at } }));
  }
}

export async function forgetEverywhere({ world: { clients, table: TableName }, tenant }: Stage, name: string): Promise<void> {
  for (const n of shardNumbers(SCHEDULE_DIRECTORY_SHARDS)) {
    await clients.dynamodb.send(new DeleteCommand({ TableName, Key: { p: scheduleDirectory(n), s: `${tenant}#${name}` } }));
  }
}
