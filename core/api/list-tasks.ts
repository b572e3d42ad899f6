import { SluiceError, type ListQuery, type ListResponse, type TaskRow } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { ListedTask, TaskList, UidRange } from '../ports/task-list.ts';
import { firstUlidAt, timeBefore } from '../tasks/ulid.ts';
import { LIST_CURSORS } from './list-cursor.ts';
import { filterOf } from './list-filter.ts';
import { isGone, toTaskSummary } from './view.ts';

export interface ListDeps {
  /** Absent where the table has no such index. */
  readonly list: TaskList | undefined;
  readonly hasher: Hasher;
  readonly clock: Clock;
}

/** Tasks on a page, where the caller does not say. */
const PAGE = 50;
/** What one call may cost: about a second. Then it answers with what it has found, and a cursor. */
const TASKS_LOOKED_AT = 2_000;
const DAYS_LOOKED_AT = 100;
/** Tasks of one round, which are read together. */
const ROUND = { min: 20, max: 400 };
/** Days are looked at together where those after them held little: a tenant's first page may go back over months. */
const DAYS_AT_ONCE = 32;
const DAY_MS = 86_400_000;

/**
 * A page of a tenant's tasks, the newest first. It may hold fewer than asked for, or none, and yet have a cursor: the
 * call has then looked at as much as one may. Without a cursor it is the last.
 *
 * A page begins where the one before ended, by the uid, so that tasks which come or end meanwhile move nothing. A task
 * that was accepted within the last second may not be there yet.
 *
 * @throws SluiceError `not_enabled`, `bad_cursor`, `bad_request`, `unavailable`
 */
export async function listTasks(deps: ListDeps, tenant: string, query: ListQuery): Promise<ListResponse> {
  const { list, hasher } = deps;
  if (!list) {
    throw new SluiceError(
      'not_enabled',
      'this platform keeps no list of tasks; deploy it with the prop listIndex: true, or get tasks by id',
    );
  }
  const { limit = PAGE, cursor, ...filters } = query;
  const now = deps.clock.now();
  const { range, matches } = filterOf(filters, now);
  const { after } = range;
  let before = cursor === undefined ? range.before : lesser(range.before, LIST_CURSORS.positionOf(hasher, tenant, filters, cursor));
  const found: TaskRow[] = [];
  let [tasks, days, width] = [0, 0, 1];
  while (before > after && found.length < limit && tasks < TASKS_LOOKED_AT && days < DAYS_LOOKED_AT) {
    const size = Math.min(roundSize(limit - found.length, found.length, tasks), TASKS_LOOKED_AT - tasks);
    const round = await lookBack(list, tenant, { after, before }, size, Math.min(width, DAYS_LOOKED_AT - days));
    const rows = await rowsOf(list, tenant, round.tasks);
    before = round.before;
    for (const [n, { uid }] of round.tasks.entries()) {
      const row = rows.get(uid);
      if (!row || isGone(row, now) || !matches(row)) continue;
      found.push(row);
      if (found.length < limit) continue;
      // After the last of a round there is the rest of its days to skip.
      if (n < round.tasks.length - 1) before = uid;
      break;
    }
    tasks += round.tasks.length;
    days += width;
    width = round.tasks.length < size ? Math.min(width * 2, DAYS_AT_ONCE) : 1;
  }
  return { tasks: found.map(toTaskSummary), ...(before > after && { cursor: LIST_CURSORS.at(hasher, tenant, filters, before) }) };
}

/** How many tasks to look at next: as many as should hold what is missing, going by what the tasks so far held. */
function roundSize(missing: number, found: number, tasks: number): number {
  const expected = tasks === 0 ? missing : (missing * tasks) / Math.max(found, 0.5);
  return Math.min(Math.max(Math.ceil(expected), ROUND.min), ROUND.max);
}

interface Round {
  readonly tasks: readonly ListedTask[];
  /** Everything from this uid on has been looked at. */
  readonly before: string;
}

/** The newest tasks of a range, at most `size`, out of its last `width` days. */
async function lookBack(list: TaskList, tenant: string, range: UidRange, size: number, width: number): Promise<Round> {
  const last = Math.floor(timeBefore(range.before) / DAY_MS);
  const first = Math.max(last - width + 1, Math.floor(timeBefore(range.after) / DAY_MS), 0);
  const days = Array.from({ length: last - first + 1 }, (_, n) => (last - n) * DAY_MS);
  const pages = await Promise.all(days.map((day) => list.newest(tenant, day, range, size)));
  const tasks: ListedTask[] = [];
  for (const page of pages) {
    tasks.push(...page.tasks);
    if (page.exhausted && tasks.length <= size) continue;
    tasks.length = Math.min(tasks.length, size);
    return { tasks, before: tasks.at(-1)?.uid ?? range.before };
  }
  return { tasks, before: firstUlidAt(first * DAY_MS) };
}

/** By uid, so that a generation that has come since is not taken for the one that was listed. */
async function rowsOf(list: TaskList, tenant: string, tasks: readonly ListedTask[]): Promise<ReadonlyMap<string, TaskRow>> {
  if (tasks.length === 0) return new Map();
  const rows = await list.rows(tenant, [...new Set(tasks.map(({ id }) => id))]);
  return new Map(rows.map((row) => [row.uid, row]));
}

function lesser(a: string, b: string): string {
  return a < b ? a : b;
}
