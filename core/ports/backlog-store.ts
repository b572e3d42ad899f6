import type { HintedTask } from '@sluice/contracts';
import type { Lane } from './permit-store.ts';

/** A lane that has (or had) a backlog, and when that was last said, ms. */
export interface BacklogLane {
  readonly lane: Lane;
  readonly at: number;
}

/**
 * The waiting hints of lanes, ordered by class, then time. An item's key ends in (uid, seq), so that putting one again
 * is the same item and a newer one is another.
 */
export interface BacklogStore {
  readonly put: (lane: Lane, tasks: readonly HintedTask[]) => Promise<void>;
  /** The first ones, read consistently. */
  readonly first: (lane: Lane, limit: number) => Promise<readonly HintedTask[]>;
  readonly remove: (lane: Lane, tasks: readonly HintedTask[]) => Promise<void>;
  /** Reads consistently whether this very item is there. */
  readonly has: (lane: Lane, task: HintedTask) => Promise<boolean>;
  /** Notes the lane among those that the minute's tick looks at. */
  readonly register: (lane: Lane, now: number) => Promise<void>;
  readonly lanes: () => Promise<readonly BacklogLane[]>;
  /** Takes the note away, unless it was renewed since. */
  readonly unregister: (noted: BacklogLane) => Promise<void>;
}
