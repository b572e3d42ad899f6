import type { TaskRow } from '@sluice/contracts';
import type { ValueStore } from '../ports/value-store.ts';
import { byteLength, type ValueOwner } from './values.ts';

/** Named by the attempt that left off there, so that nothing is rewritten. */
function nameOf(uid: string, fence: number): string {
  return `${uid}.${fence}`;
}

/**
 * Makes a checkpoint durable, always as an item of its own: few tasks have one, and in the row it would be paid for at each write.
 * @param until ms: it must be readable at least until then
 */
export async function storeCheckpoint(
  values: ValueStore,
  { tenant, id, uid, fence }: ValueOwner,
  json: string,
  until: number,
): Promise<NonNullable<TaskRow['checkpoint']>> {
  await values.put(tenant, id, nameOf(uid, fence), 'checkpoint', json, 'item', until);
  return { fence, bytes: byteLength(json) };
}

/** @returns nothing where the task has none @throws SluiceError `not_found` where it is gone */
export async function readCheckpoint(values: ValueStore, row: TaskRow): Promise<unknown> {
  const { checkpoint, tenant, id, uid } = row;
  if (!checkpoint) return undefined;
  const { fence, bytes } = checkpoint;
  return JSON.parse(await values.get(tenant, id, nameOf(uid, fence), 'checkpoint', { in: 'item', bytes }));
}
