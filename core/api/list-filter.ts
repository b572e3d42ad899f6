import { isSystemName, LIMITS, SluiceError, type ListQuery, type TaskRow } from '@sluice/contracts';
import type { UidRange } from '../ports/task-list.ts';
import { firstUlidAt } from '../tasks/ulid.ts';
import { viewState } from './view.ts';

/** What a list query asks for. */
export interface ListFilter {
  readonly range: UidRange;
  readonly matches: (row: TaskRow) => boolean;
}

/** ms that the clock which accepted a task may be ahead of ours: a task that was just accepted must be on the first page. */
const CLOCKS_DIFFER_MS = 60_000;
const DAYS_BACK_MS = LIMITS.listDays * 86_400_000;

/** @throws SluiceError `bad_request` for times in the wrong order, and labels that no task can have */
export function filterOf(query: ListQuery, now: number): ListFilter {
  const { type, state } = query;
  const labels = labelsOf(query.label ?? []);
  return {
    range: rangeOf(query, now),
    matches: (row) =>
      // The platform's own tasks are listed only where they are asked for.
      (type === undefined ? !isSystemName(row.type) : row.type === type) &&
      (state === undefined || viewState(row) === state) &&
      labels.every(([key, value]) => row.labels?.[key] === value),
  };
}

function rangeOf({ from, to }: ListQuery, now: number): UidRange {
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to)) {
    throw new SluiceError('bad_request', `from is ${from} and to is ${to}; from must be before to`);
  }
  const until = to === undefined ? now + CLOCKS_DIFFER_MS : Date.parse(to);
  const since = from === undefined ? Math.min(until, now) - DAYS_BACK_MS : Date.parse(from);
  // No uid is of a time before 1970, and none of the future: years in which there is nothing are not walked.
  return {
    after: firstUlidAt(Math.max(0, since)),
    before: firstUlidAt(Math.max(0, Math.min(until, now + CLOCKS_DIFFER_MS))),
  };
}

/** @throws SluiceError `bad_request` for labels that no task can have */
export function labelsOf(given: readonly string[]): readonly (readonly [string, string])[] {
  const labels = new Map<string, string>();
  for (const text of given) {
    const colon = text.indexOf(':');
    const [key, value] = [text.slice(0, colon), text.slice(colon + 1)];
    const other = labels.get(key);
    if (other !== undefined && other !== value) {
      throw new SluiceError('bad_request', `label ${key} is asked for as "${other}" and as "${value}"; a task has one value of a label`);
    }
    labels.set(key, value);
  }
  return [...labels];
}
