import type { HintedTask, Priority } from '@sluice/contracts';
import type { Lane, Place } from './permit-store.ts';

/** A lane that has (or had) a backlog, and when that was last said, ms. */
export interface BacklogLane {
  readonly lane: Lane;
  readonly at: number;
}

/** How much waits in a lane. */
export interface BacklogSize {
  readonly count: number;
  /** There are more than were counted. */
  readonly more: boolean;
  /** ms: the time that the hint which rests there longest was due, whatever its class; `undefined` when there is none. */
  readonly oldestAt: number | undefined;
  /** Where to go on counting, while there are more. */
  readonly next?: string;
}

/**
 * The waiting hints of lanes, ordered by class, then time, in two places, so that what waits for its budget stands in
 * nobody's way. `permits` is the place where none is named. An item's key ends in (uid, seq), so that putting one again
 * is the same item and a newer one is another.
 */
export interface BacklogStore {
  readonly put: (lane: Lane, tasks: readonly HintedTask[], place?: Place) => Promise<void>;
  /** The first ones of a place, read consistently. @param from the class to begin with; those above are left out, at no cost */
  readonly first: (lane: Lane, limit: number, place?: Place, from?: Priority) => Promise<readonly HintedTask[]>;
  readonly remove: (lane: Lane, tasks: readonly HintedTask[], place?: Place) => Promise<void>;
  /** Reads consistently whether this very item is there, in either place. */
  readonly has: (lane: Lane, task: HintedTask) => Promise<boolean>;
  /**
   * Of both places together: counts up to so many hints and finds the oldest: read without consistency, at a cost that is
   * bounded by `atMost`, at least one. Holds none of them.
   * @param from `next` of another count, which it goes on with; it looks for no oldest then
   */
  readonly measure: (lane: Lane, atMost: number, from?: string) => Promise<BacklogSize>;
  /** Notes the lane among those that the minute's tick looks at. */
  readonly register: (lane: Lane, now: number) => Promise<void>;
  readonly lanes: () => Promise<readonly BacklogLane[]>;
  /** Takes the note away, unless it was renewed since. */
  readonly unregister: (noted: BacklogLane) => Promise<void>;
}
