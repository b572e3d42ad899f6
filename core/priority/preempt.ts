import { LIMITS, type HintedTask, type TaskRow, type TaskTypeSpec } from '@sluice/contracts';
import { hasBacklog } from '../permits/cells.ts';
import type { Cell } from '../ports/permit-store.ts';

/** How many attempts are wanted to make room for tasks that found their lane full: one for each of `high`. */
export function roomWanted(spec: TaskTypeSpec, works: readonly { readonly task: Pick<HintedTask, 'priority'> }[]): number {
  return spec.preemptible === true ? works.filter(({ task }) => task.priority === 'high').length : 0;
}

/**
 * Whether an attempt may be asked to make room: one of a `low` task, of a type that allows it, that has not made room
 * {@link LIMITS.preemptions} times, and that nobody has asked to stop. After that many a task runs through: so it ends, however
 * much comes above it.
 */
export function isPreemptible(row: TaskRow, spec: TaskTypeSpec | undefined): boolean {
  return (
    spec?.preemptible === true &&
    row.state === 'running' &&
    row.priority === 'low' &&
    row.cancelAt === undefined &&
    row.preemptAt === undefined &&
    (row.preempted ?? 0) < LIMITS.preemptions
  );
}

/** Whether a lane wants room: some of `high` found it full and, as far as its cell knows, still wait. */
export function wantsRoom(cell: Cell): boolean {
  return (cell.wanted ?? 0) > 0 && hasBacklog(cell) && cell.waits?.includes('high') === true;
}
