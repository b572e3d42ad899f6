import type { TaskRow } from '@sluice/contracts';

/** A task as the index names it. Its row may be another generation by now, or gone. */
export interface ListedTask {
  readonly id: string;
  readonly uid: string;
}

/** `after` <= uid < `before`, as text: uids of one length sort by time. */
export interface UidRange {
  readonly after: string;
  readonly before: string;
}

export interface ListedPage {
  /** The greatest uid, and so the newest task, first. */
  readonly tasks: readonly ListedTask[];
  /** There are no others in the range. */
  readonly exhausted: boolean;
}

/** The index of a tenant's tasks by the day of their acceptance. Both methods throw when their answer is unknown. */
export interface TaskList {
  /**
   * The newest tasks of a range that were accepted on that day (in UTC; any instant of it, ms): up to `limit`, and at
   * least one unless there is none. A write may show here a moment (usually below a second) after it was answered.
   */
  readonly newest: (tenant: string, day: number, range: UidRange, limit: number) => Promise<ListedPage>;
  /** The rows of these tasks as they are now, read consistently, in no order and without those that are gone. */
  readonly rows: (tenant: string, ids: readonly string[]) => Promise<readonly TaskRow[]>;
}
