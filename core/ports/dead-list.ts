import type { TaskRow } from '@sluice/contracts';
import type { ListedTask } from './task-list.ts';

/** A failed task as the index names it. Its row may be another generation by now, or gone. */
export interface DeadEntry extends ListedTask {
  readonly type: string;
  /** Its place among all failures of its tenant: they sort by the time of failure, then by uid. */
  readonly key: string;
}

/** `after` <= key < `before`, as text. */
export interface DeadRange {
  readonly after: string;
  readonly before: string;
}

export interface DeadPage {
  /** The one that failed last first. */
  readonly tasks: readonly DeadEntry[];
  /** There are no others in the range. */
  readonly exhausted: boolean;
}

/** A day (UTC) on which tasks of a tenant failed. */
export interface DeadDay {
  /** ms: its first instant. */
  readonly day: number;
  readonly types: readonly string[];
}

/** The index of a tenant's failed tasks by type and day of failure. Every method throws when its answer is unknown. */
export interface DeadList {
  /** The days from `from` to `to` (ms, any instants of them) on which tasks failed, the latest first, read consistently. */
  readonly days: (tenant: string, from: number, to: number) => Promise<readonly DeadDay[]>;
  /**
   * The latest failures of a day, type by type together: up to `limit`, and at least one unless there is none. A write
   * may show here a moment (usually below a second) after it was answered: a task that was redriven may still be there.
   */
  readonly newest: (tenant: string, day: DeadDay, range: DeadRange, limit: number) => Promise<DeadPage>;
  /** The rows of these tasks as they are now, read consistently, in no order and without those that are gone. */
  readonly rows: (tenant: string, ids: readonly string[]) => Promise<readonly TaskRow[]>;
}
