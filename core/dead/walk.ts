import type { DeadFilter, TaskRow } from '@sluice/contracts';
import type { DeadList, DeadRange } from '../ports/dead-list.ts';
import { firstFailureKeyAt, timeBeforeKey } from '../tasks/failure-key.ts';
import { fits, isDead, typesOf } from './dead-filter.ts';

/** Tasks of one round, which are read together. */
const ROUND = { min: 20, max: 400 };
/** Days that one walk looks at. */
const DAYS = 100;

export interface Walk {
  /** What was found, the one that failed last first. */
  readonly rows: readonly TaskRow[];
  /** Everything from this place on has been looked at. */
  readonly position: string;
  /** Failures looked at. */
  readonly scanned: number;
  /** There are no others. */
  readonly exhausted: boolean;
}

export interface WalkBounds {
  /** Tasks to find at most. */
  readonly wanted: number;
  /** Failures to look at, about. */
  readonly looks: number;
}

/**
 * Looks for dead tasks that fit, from the latest failure of the range on, until there are enough or it has looked at as
 * many as it may. The index names them; their rows, read consistently, decide.
 */
export async function walkDead(
  list: DeadList,
  tenant: string,
  filter: DeadFilter,
  { after, before }: DeadRange,
  { wanted, looks }: WalkBounds,
  now: number,
): Promise<Walk> {
  const rows: TaskRow[] = [];
  let position = before;
  let scanned = 0;
  const days = after < before ? await list.days(tenant, timeBeforeKey(after) + 1, timeBeforeKey(before)) : [];
  for (const [n, day] of days.entries()) {
    if (n >= DAYS) return { rows, position, scanned, exhausted: false };
    const types = typesOf(filter, day);
    for (let left = types.length > 0; left;) {
      if (scanned >= looks) return { rows, position, scanned, exhausted: false };
      const size = Math.min(roundSize(wanted - rows.length, rows.length, scanned), Math.max(looks - scanned, 1));
      const page = await list.newest(tenant, { day: day.day, types }, { after, before: position }, size);
      const found = await rowsOf(list, tenant, page.tasks);
      for (const entry of page.tasks) {
        const row = found.get(entry.uid);
        position = entry.key;
        scanned += 1;
        if (!row || !isDead(row, now) || !fits(filter, row)) continue;
        rows.push(row);
        if (rows.length >= wanted) return { rows, position, scanned, exhausted: false };
      }
      left = !page.exhausted && page.tasks.length > 0;
    }
    const start = firstFailureKeyAt(day.day);
    if (start < position) position = start;
  }
  return { rows, position: after, scanned, exhausted: true };
}

/** How many to look at next: as many as should hold what is missing, going by what there was so far. */
function roundSize(missing: number, found: number, scanned: number): number {
  const expected = scanned === 0 ? missing : (missing * scanned) / Math.max(found, 0.5);
  return Math.min(Math.max(Math.ceil(expected), ROUND.min), ROUND.max);
}

/** By uid, so that a generation that has come since is not taken for the one that failed. */
async function rowsOf(list: DeadList, tenant: string, tasks: readonly { readonly id: string }[]): Promise<ReadonlyMap<string, TaskRow>> {
  if (tasks.length === 0) return new Map();
  return new Map((await list.rows(tenant, [...new Set(tasks.map(({ id }) => id))])).map((row) => [row.uid, row]));
}
