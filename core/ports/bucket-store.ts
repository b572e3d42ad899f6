import type { TaskHint } from '@sluice/contracts';

/** The hints due in each minute, in `shards` parts. A minute is counted from the epoch. */
export interface BucketStore {
  /** Number of parts that a minute is kept in. */
  readonly shards: number;
  /** Puts one item of up to 500 tasks; `name` makes it repeatable. Durable when it returns. */
  readonly put: (minute: number, shard: number, name: string, hint: TaskHint) => Promise<void>;
  /** All hints of a minute, read consistently, page by page. */
  readonly read: (minute: number, shard: number) => AsyncIterable<readonly TaskHint[]>;
  /** The last minute that was moved to the queues. */
  readonly cursor: (shard: number) => Promise<number | undefined>;
  /** Moves the cursor on condition that it still is `from`. @returns false when somebody else has moved it. */
  readonly advance: (shard: number, from: number | undefined, to: number) => Promise<boolean>;
}
