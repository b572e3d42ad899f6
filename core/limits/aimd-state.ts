/**
 * Additive increase, multiplicative decrease of the attempts that a lane cell may have in flight (Chiu and Jain, "Analysis
 * of the Increase and Decrease Algorithms for Congestion Avoidance in Computer Networks", 1989), with what TCP has learnt
 * since: slow start (RFC 5681), one decrease for what was in flight together (RFC 6582), a decrease in proportion to what
 * was marked (RFC 8257), and a climb that slows down at the limit at which it went wrong (RFC 9438).
 */
export interface AimdRules {
  /** Attempts at once that a new lane begins with. */
  readonly start: number;
  /** Signals in a window without which nothing is lowered; fewer where fewer attempts may be in flight. */
  readonly count: number;
  /** Of the attempts that ended in the window, the share of signals from which it is lowered, 0 to 1. */
  readonly rate: number;
  /** ms. */
  readonly windowMs: number;
  /** What the limit is multiplied by when just that share was throttled; by half of it when all were. 0.5 to 1. */
  readonly decrease: number;
}

/** What a cell knows of the capacity behind it. Absent: nothing yet, it is in slow start. */
export interface Aimd {
  /** Attempts at once, 1 or more. */
  readonly limit: number;
  /** The limit at which attempts were throttled last; 0 = none were, and it is in slow start. */
  readonly top: number;
  /** What the limit was raised by last; 0 = nothing since it was lowered. */
  readonly step: number;
  /** The cell's count of successes when the limit was changed last. */
  readonly round: number;
  /** ms: when the limit was changed last; how long the latest signal had taken from the claim of its attempt. */
  readonly since: number;
  readonly lag: number;
  /** ms: when it was lowered last. A signal of an attempt that was claimed before says nothing of the limit since. */
  readonly cutAt: number;
  /** Attempts in flight when it was lowered, and how many of them were throttled since: at least so many were too many. */
  readonly flight: number;
  readonly late: number;
  /** The window of signals: when it began, the successes counted by then, and the signals since. */
  readonly at: number;
  readonly good: number;
  readonly slow: number;
  /** ms after it was lowered in which nothing starts: less than one attempt at once. 0 = none. */
  readonly pause: number;
  /** ms: for how long an attempt is held that waits for nothing; 0 = not known. {@link holdOf} */
  readonly base: number;
  /** The cell's sum of such times when the limit was changed last. */
  readonly spent: number;
  /** Of the first cell: the most attempts at once that the whole lane was found to need lately; 0 = not known. */
  readonly most: number;
}

/** Attempts of one cell that ended together. */
export interface Ends {
  /** When the attempts among them that were throttled were claimed, ms. */
  readonly throttled: readonly number[];
  /** Successes of the cell, ever, these counted. */
  readonly good: number;
  /** ms for which its successes were held, from claim to settle, ever, these counted. */
  readonly held: number;
  /** Of the lane's first cell: how many are in use. */
  readonly cells?: number;
  /** Whether the lane has more cells than this. */
  readonly others?: boolean;
  /** Of another cell, {@link Aimd.base} of the first, where it is known. */
  readonly base?: number | undefined;
  /** Attempts of the cell that were in flight before these ended. */
  readonly flight: number;
  /** Whether something waits for a permit. */
  readonly waiting: boolean;
}
