import {
  isSluiceError,
  LIMITS,
  SYSTEM_TYPES,
  systemId,
  type Channel,
  type Delivery,
  type Notification,
  type TaskRow,
} from '@sluice/contracts';
import { placeHints, type PlaceDeps } from '../hints/place.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { TaskStore } from '../ports/task-store.ts';
import type { ValueStore } from '../ports/value-store.ts';
import { confirmedLate, hintAgain, notHinted } from '../submit/hint-again.ts';
import { newRow } from '../submit/new-row.ts';
import { checkSubmission } from '../submit/validate.ts';
import { endEvent } from '../tasks/event.ts';
import { KEPT_MS } from '../tasks/kept.ts';
import { hintOf, isTerminal } from '../tasks/state.ts';
import { readValue, storeValue } from '../tasks/values.ts';
import type { Receiver } from './told.ts';

export interface SubmitDeliveryDeps extends PlaceDeps {
  readonly tasks: TaskStore;
  readonly values: ValueStore;
  readonly hasher: Hasher;
}

/** One end that one receiver is to be told. */
export interface DueDelivery {
  /** The row, terminal. */
  readonly row: TaskRow;
  readonly to: Receiver;
}

/** The id of the delivery of one end over one channel: whoever tells that end again finds it. */
export function deliveryId({ uid, state }: Pick<TaskRow, 'uid' | 'state'>, channel: Channel): string {
  return systemId('notify', uid, state, channel);
}

/**
 * Submits deliveries, as any task is: payload, then hint, then row. Each id is taken once and never freed here: a repeat
 * finds the delivery, also one that has failed, so that telling an end again makes no more attempts than its policy has.
 * @returns the deliveries that are not known to be accepted, with the error of each
 */
export async function submitDeliveries(
  deps: SubmitDeliveryDeps,
  deliveries: readonly DueDelivery[],
): Promise<ReadonlyMap<DueDelivery, unknown>> {
  const failed = new Map<DueDelivery, unknown>();
  const rows = new Map<DueDelivery, TaskRow>();
  const guarded = async (each: Iterable<DueDelivery>, run: (delivery: DueDelivery) => Promise<unknown>): Promise<void> => {
    await Promise.all([...each].map((delivery) => run(delivery).catch((error: unknown) => void failed.set(delivery, error))));
  };
  await guarded(deliveries, async (delivery) => rows.set(delivery, await rowOf(deps, delivery)));
  const made = deps.clock.now();
  const ready = [...rows.keys()];
  const hinted = await placeHints(
    deps,
    [...rows.values()].map((row) => ({ tenant: row.tenant, task: hintOf(row, made) })),
  );
  await guarded(ready, async (delivery) => {
    const row = rows.get(delivery);
    if (!row || hinted[ready.indexOf(delivery)] !== true) throw notHinted();
    await insert(deps, row, made);
  });
  return failed;
}

/** The row of a delivery, its payload durable. */
async function rowOf(deps: SubmitDeliveryDeps, { row, to }: DueDelivery): Promise<TaskRow> {
  const now = deps.clock.now();
  const { tenant } = row;
  const payload: Delivery = await deliveryOf(deps, row, to);
  const submission = { type: SYSTEM_TYPES.notify, id: deliveryId(row, channelOf(to)), payload, labels: { task: row.id } };
  const checked = checkSubmission(submission, now, 'platform');
  const made = newRow({ tenant, uid: deps.random.ulid(now), now, checked, hash: deps.hasher });
  return { ...made, payload: await storeValue(deps.values, made, 'payload', checked.json, now + KEPT_MS) };
}

/** Writes the row of a delivery unless there is one. As for any submission, a hint is never without its row for long. */
async function insert(deps: SubmitDeliveryDeps, row: TaskRow, hintMade: number): Promise<void> {
  let made = hintMade;
  if (confirmedLate(made, deps.clock.now())) made = await hintAgain(deps, row);
  const { applied, row: found } = await deps.tasks.insert(row);
  const own = applied || found?.uid === row.uid;
  if (own && confirmedLate(made, deps.clock.now())) await hintAgain(deps, found ?? row);
  // Whoever submitted it first may have died before its own hint was of use.
  if (!own && found && !isTerminal(found.state)) await hintAgain(deps, found);
  // It was there and is gone again: it ended long ago.
}

function channelOf(to: Receiver): Channel {
  return 'webhook' in to ? 'webhook' : 'queue';
}

/** The payload of a delivery. It holds all that is told, since the task may be gone before the last attempt. */
async function deliveryOf(deps: SubmitDeliveryDeps, row: TaskRow, to: Receiver): Promise<Delivery> {
  const event = endEvent(row);
  const { eventId, type, state, at } = event;
  const notification: Notification = { ...event, ...(await resultOf(deps.values, row)) };
  return { v: 1, to, eventId, type, state, at, body: plainJson(notification) };
}

async function resultOf(values: ValueStore, row: TaskRow): Promise<Pick<Notification, 'result' | 'resultBytes'>> {
  const { result } = row;
  if (row.state !== 'succeeded' || !result) return {};
  if (result.in !== 'row' && result.bytes > LIMITS.itemBytes) return { resultBytes: result.bytes };
  try {
    return { result: JSON.parse(await readValue(values, row, 'result', result)) };
  } catch (error) {
    // Its time was over before it was told.
    if (isSluiceError(error) && error.code === 'not_found') return {};
    throw error;
  }
}

/** JSON in which the two code points that queues refuse are escaped; lone surrogates are so anyway. */
function plainJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
}
