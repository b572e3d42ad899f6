import type { Attempt, TaskRow, TaskState } from '@sluice/contracts';

/**
 * Which write of which generation of a row is meant. The state is compared where it is given: a hint for a next write
 * that was lost to another one names the seq that the other one made.
 */
export interface RowVersion {
  readonly uid: string;
  readonly seq: number;
  readonly state?: TaskState | undefined;
}

type Changeable = Omit<TaskRow, 'v' | 'tenant' | 'id' | 'uid' | 'seq'>;

/** One write of a row; `seq` rises by one in each. */
export interface RowChange {
  readonly set: Partial<Changeable>;
  /** Set only where the row has no such value yet. */
  readonly setOnce?: Partial<Changeable>;
  readonly remove?: readonly (keyof Changeable)[];
}

/** A lost condition comes with the row as it is, read consistently: it decides nothing, the caller looks again. */
export type WriteResult =
  { readonly applied: true; readonly row: TaskRow } | { readonly applied: false; readonly row: TaskRow | undefined };

/** One page of the audit's scan. */
export interface ScanPage {
  readonly rows: readonly TaskRow[];
  readonly next: string | undefined;
}

/**
 * The rows of tasks. Every method throws when its answer is unknown (the call may have been applied); a row whose
 * `ttl` has passed is treated as it stands, so callers filter.
 */
export interface TaskStore {
  /** Reads consistently. */
  readonly get: (tenant: string, id: string) => Promise<TaskRow | undefined>;
  /** Writes a row on condition that there is none. */
  readonly insert: (row: TaskRow) => Promise<WriteResult>;
  /** Writes a whole row in place of that version: an id that was freed is taken by a new generation. */
  readonly replace: (row: TaskRow, old: RowVersion) => Promise<WriteResult>;
  /** Changes a row on condition that it still is that version. */
  readonly update: (tenant: string, id: string, version: RowVersion, change: RowChange) => Promise<WriteResult>;
  /** Keeps a copy of an old generation; repeatable. */
  readonly archive: (row: TaskRow) => Promise<void>;
  /** Keeps an attempt that did not succeed; repeatable. `ttl` in seconds since the epoch. */
  readonly putAttempt: (tenant: string, id: string, attempt: Attempt, ttl: number) => Promise<void>;
  /** The kept attempts of one generation, in order of their fences. */
  readonly attempts: (tenant: string, id: string, uid: string) => Promise<readonly Attempt[]>;
  /** One page of every tenant's rows; `segment` of `segments` in parallel. For the audit alone. */
  readonly scan: (segment: number, segments: number, from: string | undefined) => Promise<ScanPage>;
}

/** For functions that settle tasks, which may have to be kept for longer than was thought. */
export interface LastingTaskStore extends TaskStore {
  /** Gives the kept attempts of one generation whose `ttl` is before `least` that of `until`. */
  readonly keepAttempts: (tenant: string, id: string, uid: string, least: number, until: number) => Promise<void>;
}
