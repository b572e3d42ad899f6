import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { DestinationRecord, HintedTask, Priority, TaskHint, TaskRow } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { cursorKey, ROW_SORT, taskPartition } from '../../../adapters/aws/keys.ts';
import { systemHasher, systemRandom } from '../../../adapters/system.ts';
import { hasBacklog } from '../../../core/permits/cells.ts';
import type { Lane } from '../../../core/ports/permit-store.ts';
import { newRow } from '../../../core/submit/new-row.ts';
import { hintOf } from '../../../core/tasks/state.ts';
import type { Script } from '../app/handler.ts';
import { nameOf, type CallSite } from '../sites/scan.ts';
import type { Stage } from '../world/stage.ts';

/*
 * What no caller of the API can bring about: the platform in the middle of something, or after something went wrong. All of
 * it is written by the adapters themselves.
 */

/** Writes the row of a task that is told to succeed, and no hint. */
export async function rowWithoutHint(
  stage: Stage,
  id: string,
  type: string,
  at: number,
  script?: Script,
  priority?: Priority,
): Promise<TaskRow> {
  const row = unwrittenRow(stage, id, type, at, script, priority);
  await stage.world.tasks.insert(row);
  return row;
}

/** A row as `submit` makes it. */
export function unwrittenRow(
  stage: Stage,
  id: string,
  type: string,
  at: number,
  payload: Script = { do: 'ok' },
  priority?: Priority,
): TaskRow {
  const submission = { id, type, payload, ...(priority && { priority }) };
  const json = JSON.stringify(payload);
  const now = Math.min(at, Date.now());
  const checked = { submission, json, at, expiresAt: undefined };
  const made = newRow({ tenant: stage.tenant, uid: systemRandom.ulid(now), now, checked, hash: systemHasher });
  return { ...made, payload: { in: 'row', json } };
}

/** The message of a hint for a task as its row is now. */
export function messageOf(row: TaskRow, over: Partial<HintedTask> = {}): TaskHint {
  return { v: 1, kind: 'tasks', tenant: row.tenant, tasks: [{ ...hintOf(row, Date.now()), ...over }] };
}

/** Sends a hint to a shard queue. */
export async function sendHint(stage: Stage, message: TaskHint): Promise<void> {
  const priority = message.tasks[0]?.priority ?? 'normal';
  const [sent] = await stage.world.queue.send([{ queue: { priority, shard: 0 }, message, delaySeconds: 0 }]);
  if (sent !== true) throw new Error('the queue did not take a hint');
}

/** Puts a hint where one ends that was received too often. */
export async function sendToDeadHints(stage: Stage, message: TaskHint): Promise<void> {
  const { clients, queues } = stage.world;
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: queues.hintsDead, MessageBody: JSON.stringify(message) }));
}

/** Sends an outcome as Lambda's destinations do. */
export async function sendRecord(stage: Stage, row: Pick<TaskRow, 'id' | 'uid' | 'type' | 'fence'>, error?: string): Promise<void> {
  const { id, uid, type, fence } = row;
  const sluice = { version: 1, tenant: stage.tenant, task: id, uid, type, fence, attempt: 1, deadline: Date.now() } as const;
  const failed = error !== undefined;
  const record: DestinationRecord = {
    version: '1.0',
    timestamp: new Date().toISOString(),
    requestContext: { requestId: uid, functionArn: 'arn', condition: failed ? 'RetriesExhausted' : 'Success', approximateInvokeCount: 1 },
    requestPayload: { payload: null, sluice },
    responseContext: { statusCode: 200, executedVersion: '1', ...(failed && { functionError: 'Unhandled' }) },
    responsePayload: failed ? { errorType: error, errorMessage: 'as it was told to' } : null,
  };
  const { clients, queues } = stage.world;
  await clients.sqs.send(new SendMessageCommand({ QueueUrl: queues.outcomes, MessageBody: JSON.stringify(record) }));
}

/** Takes a task's row away, as its time to live does. */
export async function deleteRow(stage: Stage, id: string): Promise<void> {
  const { clients, table: TableName } = stage.world;
  await clients.dynamodb.send(new DeleteCommand({ TableName, Key: { p: taskPartition(stage.tenant, id), s: ROW_SORT } }));
}

/** How often a scene is played at most that does not come to its call site. */
const PLAYED = 8;
const COMES_SECONDS = 10;

/**
 * Plays a scene until it has come to a call site. A fault may keep it from that: who comes to it may be killed with what
 * else it does.
 * @param play `comes` waits until the call has come, or would have
 */
export async function comesTo(
  stage: Stage,
  site: CallSite,
  play: (n: number, comes: () => Promise<void>) => Promise<void>,
  most = PLAYED,
): Promise<void> {
  const met = (): boolean => stage.seen(site.fn, site.port, site.command);
  const comes = (): Promise<void> => stage.until(`it comes to ${nameOf(site)}`, met, COMES_SECONDS).catch(() => undefined);
  for (let n = 0; n < most && !met(); n++) {
    await play(n, comes);
    stage.disarm();
  }
  if (!met()) throw new Error(`it does not come to ${nameOf(site)}`);
}

/** A function looks for a type that it does not know once a second. */
const LOOKUP_MS = 1_100;

/** From now on every function finds the types that have been put: what it read before is too old for it to rely on. */
export async function newTypesAreKnown(): Promise<void> {
  await sleep(LOOKUP_MS);
}

/** Sets the cursor of a part of the buckets, as if later minutes had not been moved yet. */
export async function setCursor(stage: Stage, shard: number, minute: number): Promise<void> {
  const { clients, table: TableName } = stage.world;
  await clients.dynamodb.send(new PutCommand({ TableName, Item: { ...cursorKey(shard), minute, by: stage.tenant } }));
}

/** Seconds in which a lane comes to have a backlog, if it was not so slow that each task found it free. */
const BACKLOG_SECONDS = 15;

/** Waits until a lane has a backlog; goes on without, where a fault has kept its tasks apart. */
export async function backlogged(stage: Stage, lane: Lane): Promise<void> {
  const isUp = async (): Promise<boolean> => hasBacklog(await stage.world.permits.read(lane, 0));
  await stage.until('the lane has a backlog', isUp, BACKLOG_SECONDS).catch(() => undefined);
}

/** A task in a backlog that the minute has not heard of yet, and nobody else either. */
export async function waitsUntold(stage: Stage, type: string): Promise<void> {
  const lane = { tenant: stage.tenant, type };
  const row = await rowWithoutHint(stage, 'untold', type, Date.now());
  await stage.world.backlog.put(lane, [hintOf(row, Date.now())]);
  await stage.world.permits.raise(lane, 0, 'permits', ['normal']);
}

/** A task ends that nobody but the audit knows of, however many days that takes. */
export async function foundByAudit(stage: Stage, id: string): Promise<void> {
  const ended = stage.ends(id, { state: 'succeeded', attempts: 1 });
  let isOver = false;
  void ended.catch(() => undefined).then(() => (isOver = true));
  // A day passes.
  await stage.until('it has ended', async () => {
    if (!isOver) await stage.tick('audit');
    return isOver;
  });
  await ended;
}
