import type { TaskRow } from '@sluice/contracts';
import type { LastingTaskStore } from '../ports/task-store.ts';
import type { LastingValueStore } from '../ports/value-store.ts';
import { keepValue } from './values.ts';

const DAY_MS = 86_400_000;

/** ms that the payload and the attempts of a task are kept, from the time of its next attempt when they are written. */
export const KEPT_MS = 180 * DAY_MS;

/** ms that no attempt may start without any of it being lost; what is left of {@link KEPT_MS} then is for the end. */
export const HELD_MS = 150 * DAY_MS;

/** ms beyond what is asked for, so that it is not asked for again soon. */
const SLACK_MS = KEPT_MS - HELD_MS;

/**
 * Makes the payload and the attempts of a task, which are outside its row, readable until `least` (ms). Only few tasks come
 * to that: retried for months, far away when they were submitted, or dead for longer than others; for all the rest this is
 * no call at all.
 * @returns what its row is to know of it, where there was anything to do
 */
export async function keepOn(
  { tasks, values }: { readonly tasks: LastingTaskStore; readonly values: LastingValueStore },
  row: TaskRow,
  least: number,
): Promise<Pick<TaskRow, 'keptUntil'>> {
  if (least <= (row.keptUntil ?? row.acceptedAt + KEPT_MS)) return {};
  const until = least + SLACK_MS;
  await Promise.all([
    tasks.keepAttempts(row.tenant, row.id, row.uid, Math.ceil(least / 1000), Math.ceil(until / 1000)),
    keepValue(values, row, 'payload', row.payload, least, until),
  ]);
  return { keptUntil: until };
}
