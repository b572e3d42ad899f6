import { isSluiceError, SluiceError, taskIdSchema, type TaskRow, type TaskView } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { TaskStore } from '../ports/task-store.ts';
import type { ShownKind, ValueStore } from '../ports/value-store.ts';
import { readValue } from '../tasks/values.ts';
import { isGone, toTaskView } from './view.ts';

export interface ReadDeps {
  readonly tasks: TaskStore;
  readonly values: ValueStore;
  readonly clock: Clock;
}

/**
 * A task of this tenant, with the values that are asked for.
 * @throws SluiceError `not_found`
 */
export async function getTask(deps: ReadDeps, tenant: string, id: string, include: readonly ShownKind[]): Promise<TaskView> {
  return viewOf(deps, await readRow(deps, tenant, id), include);
}

/**
 * The row of a task. A tenant's name is part of the key, so another tenant's id is as unknown as one that never was:
 * the same single read, the same answer.
 * @throws SluiceError `not_found`
 */
export async function readRow(deps: Pick<ReadDeps, 'tasks' | 'clock'>, tenant: string, id: string): Promise<TaskRow> {
  const row = taskIdSchema.safeParse(id).success ? await deps.tasks.get(tenant, id) : undefined;
  if (!row || isGone(row, deps.clock.now())) {
    throw new SluiceError('not_found', `there is no task "${id.slice(0, 200)}"; it never was, or it has been deleted`);
  }
  return row;
}

/** A value may be deleted a little before its row: the task is there all the same. */
function missing(error: unknown): undefined {
  if (isSluiceError(error) && error.code === 'not_found') return undefined;
  throw error;
}

/** The view of a row. Only what can be there is read: no attempts before the first claim. */
export async function viewOf(deps: ReadDeps, row: TaskRow, include: readonly ShownKind[]): Promise<TaskView> {
  const value = async (kind: ShownKind) => {
    const stored = include.includes(kind) ? row[kind] : undefined;
    return stored && (await readValue(deps.values, row, kind, stored).catch(missing));
  };
  const [kept, payload, result] = await Promise.all([
    row.fence > 0 ? deps.tasks.attempts(row.tenant, row.id, row.uid) : [],
    value('payload'),
    value('result'),
  ]);
  return toTaskView(row, kept, { payload, result });
}
