import type { ScheduleRecord } from '@sluice/contracts';

/** A lost condition comes with the schedule as it is: it decides nothing, the caller looks again. */
export interface ScheduleWrite {
  readonly applied: boolean;
  readonly found: ScheduleRecord | undefined;
}

/** An entry of the directory of all schedules. */
export interface NotedSchedule {
  readonly tenant: string;
  readonly name: string;
  /** ms: when it was noted last. */
  readonly at: number;
}

/**
 * The schedules of each tenant, and a directory of all of them by which lost ones are found. Reads are consistent; every
 * method throws when its answer is unknown.
 */
export interface ScheduleStore {
  readonly get: (tenant: string, name: string) => Promise<ScheduleRecord | undefined>;
  /** Writes it on condition that the one that is there has that `seq`; `undefined`: that there is none. */
  readonly put: (tenant: string, record: ScheduleRecord, seq: number | undefined) => Promise<ScheduleWrite>;
  /** @returns false when the one that is there has another `seq` */
  readonly remove: (tenant: string, name: string, seq: number) => Promise<boolean>;
  /** Up to so many by name, those after `after`. */
  readonly list: (tenant: string, after: string | undefined, limit: number) => Promise<readonly ScheduleRecord[]>;
  /** How many there are, and at most `atMost` when there are more. */
  readonly count: (tenant: string, atMost: number) => Promise<number>;
  /** Parts of the directory. */
  readonly shards: number;
  readonly note: (tenant: string, name: string, at: number) => Promise<void>;
  /** Takes an entry away, unless it was noted again since. */
  readonly forget: (noted: NotedSchedule) => Promise<void>;
  /** One part of the directory, in no order. */
  readonly noted: (shard: number) => Promise<readonly NotedSchedule[]>;
}
