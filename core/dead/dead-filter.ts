import { isSystemName, SluiceError, type DeadFilter, type TaskRow } from '@sluice/contracts';
import type { DeadDay, DeadRange } from '../ports/dead-list.ts';
import { firstFailureKeyAt } from '../tasks/failure-key.ts';
import { isGone } from '../api/view.ts';

/** ms that the clock which settled a task may be ahead of ours: a task that has just failed must be on the first page. */
const CLOCKS_DIFFER_MS = 60_000;

/** Whether a task is dead: it failed for good, and nobody has redriven it as another task. */
export function isDead(row: TaskRow, now: number): boolean {
  return row.state === 'failed' && row.redrivenAs === undefined && !isGone(row, now);
}

/** Whether a dead task fits. Its time is compared too: an index may name more than was asked for. */
export function fits(filter: DeadFilter, row: TaskRow): boolean {
  const failedAt = row.endedAt ?? row.acceptedAt;
  return (
    // The platform's own tasks are among the dead only where they are asked for.
    (filter.type === undefined ? !isSystemName(row.type) : row.type === filter.type) &&
    (filter.error === undefined || row.error?.name === filter.error) &&
    (filter.reason === undefined || row.reason === filter.reason) &&
    (filter.from === undefined || failedAt >= Date.parse(filter.from)) &&
    (filter.to === undefined || failedAt < Date.parse(filter.to)) &&
    Object.entries(filter.labels ?? {}).every(([key, value]) => row.labels?.[key] === value)
  );
}

/** Those types of a day that are to be looked at. */
export function typesOf(filter: DeadFilter, day: DeadDay): readonly string[] {
  return day.types.filter((type) => (filter.type === undefined ? !isSystemName(type) : type === filter.type));
}

/** @throws SluiceError `bad_request` for times in the wrong order */
export function rangeOf({ from, to }: DeadFilter, now: number): DeadRange {
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    throw new SluiceError('bad_request', `from is ${from} and to is ${to}; from must be before to`);
  }
  const latest = now + CLOCKS_DIFFER_MS;
  const until = to === undefined ? latest : Math.min(Date.parse(to), latest);
  return {
    after: firstFailureKeyAt(Math.max(0, from === undefined ? 0 : Date.parse(from))),
    before: firstFailureKeyAt(Math.max(0, until)),
  };
}
