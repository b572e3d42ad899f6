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

/**
 * - `start` 10: ten attempts at once hurt nobody (TCP begins with ten segments, RFC 6928), and a lane of ten, which is the
 *   default, needs no slow start.
 * - `rate` 2 %: the throttled share that is accepted in a steady state. Below it the limit is held, above it lowered.
 * - `count` 3: one or two throttled attempts may be chance.
 * - `windowMs` 10 s: three signals further apart than this are less than one in three seconds.
 * - `decrease` 0.9: a lane that swings between 0.9 and 1 of a capacity uses 95 % of it or more.
 */
export const AIMD_DEFAULTS: AimdRules = { start: 10, count: 3, rate: 0.02, windowMs: 10_000, decrease: 0.9 };

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
}

/** Attempts of one cell that ended together. */
export interface Ends {
  /** When the attempts among them that were throttled were claimed, ms. */
  readonly throttled: readonly number[];
  /** Successes of the cell, ever, these counted. */
  readonly good: number;
  /** Attempts of the cell that were in flight before these ended. */
  readonly flight: number;
}

/** Share of the limit in flight from which it counts as used (RFC 7661 says half; a lane's permits go in batches). */
const USED = 0.75;
/** Rounds without a signal before the limit is tried at which attempts were throttled last. */
const ROUNDS_BELOW_TOP = 10;
/** Successes for each signal that such a trial may bring: so that trials alone stay well below the rate. */
const SUCCESSES_FOR_A_SIGNAL = 70;

export function initial(rules: AimdRules, share: number): Aimd {
  return {
    limit: limitOf(undefined, rules, share),
    top: 0,
    step: 0,
    round: 0,
    since: 0,
    lag: 0,
    cutAt: 0,
    flight: 0,
    late: 0,
    at: 0,
    good: 0,
    slow: 0,
  };
}

/** Attempts at once: what the capacity behind the cell seems to allow, and its share of the lane's. */
export function limitOf(aimd: Pick<Aimd, 'limit'> | undefined, rules: AimdRules, share: number): number {
  return Math.min(share, Math.max(1, aimd?.limit ?? rules.start));
}

/**
 * What becomes of the limit when attempts have ended; `undefined` when nothing does.
 * @param share attempts at once that the cell may have at most
 */
export function adapt(known: Aimd | undefined, ends: Ends, rules: AimdRules, share: number, now: number): Aimd | undefined {
  const aimd = known ?? initial(rules, share);
  return ends.throttled.length > 0 ? onSignals(aimd, ends, rules, now) : grown(aimd, ends, rules, share, now);
}

function onSignals(known: Aimd, ends: Ends, rules: AimdRules, now: number): Aimd | undefined {
  const aimd = { ...known, lag: Math.max(0, now - Math.max(...ends.throttled)) };
  const fresh = ends.throttled.filter((claimedAt) => claimedAt > aimd.cutAt).length;
  if (fresh === 0) return onLateSignals(aimd, ends.throttled.length);
  const goesOn = aimd.slow > 0 && now - aimd.at < rules.windowMs;
  const window = goesOn ? { at: aimd.at, good: aimd.good, slow: aimd.slow + fresh } : { at: now, good: ends.good, slow: fresh };
  const rate = window.slow / (window.slow + ends.good - window.good);
  const next = { ...aimd, ...window };
  return window.slow >= Math.min(rules.count, aimd.limit) && rate >= rules.rate ? lowered(next, rate, ends, rules, now) : next;
}

/** Each attempt in flight at the time ends once: those that were throttled were that many too many. */
function onLateSignals(aimd: Aimd, signals: number): Aimd | undefined {
  if (aimd.limit === 1) return undefined;
  const late = aimd.late + signals;
  const room = Math.max(1, aimd.flight - late);
  return { ...aimd, late, limit: Math.min(aimd.limit, room), top: Math.min(aimd.top, room + 1) };
}

function lowered(aimd: Aimd, rate: number, { flight, good }: Ends, rules: AimdRules, now: number): Aimd {
  const from = Math.max(1, Math.min(aimd.limit, flight));
  // One step too far is no sign that the capacity has fallen.
  const factor = aimd.step === 1 ? rules.decrease : rules.decrease * (1 - rate / 2);
  // What was raised by more than one at a time was well before that.
  const to = aimd.step > 1 ? Math.min(from * factor, aimd.limit - aimd.step) : from * factor;
  const limit = Math.max(1, Math.min(Math.floor(to), aimd.limit - 1));
  return {
    ...aimd,
    limit,
    top: Math.max(from, limit + 1),
    step: 0,
    round: good,
    since: now,
    cutAt: now,
    flight,
    late: 0,
    at: now,
    good,
    slow: 0,
  };
}

function grown(aimd: Aimd, { good, flight }: Ends, rules: AimdRules, share: number, now: number): Aimd | undefined {
  const { limit, top } = aimd;
  const held = aimd.slow > 0 && now - aimd.at < rules.windowMs;
  // What the last step brings is not known before an attempt that was claimed under it could have told.
  if (held || now - aimd.since < aimd.lag || limit >= share || flight < USED * limit) return undefined;
  const { successes, step } = nextStep(aimd, rules);
  if (good - aimd.round < successes) return undefined;
  const to = Math.min(share, limit + step);
  return { ...aimd, limit: top > limit + 1 ? Math.min(to, top - 1) : to, step: to - limit, round: good, since: now };
}

/** The successes that the next step asks for, and its height. */
function nextStep({ limit, top, step }: Aimd, rules: AimdRules): { readonly successes: number; readonly step: number } {
  if (top === 0) return { successes: limit, step: limit };
  if (limit < top - 1) return { successes: limit, step: Math.max(1, Math.floor((top - limit) / 4)) };
  if (limit < top) {
    const signals = Math.min(rules.count, limit + 1);
    return { successes: Math.max(ROUNDS_BELOW_TOP * limit, SUCCESSES_FOR_A_SIGNAL * signals), step: 1 };
  }
  // Beyond the old top nothing is known: as long as it goes well, twice as far each time.
  return { successes: limit, step: Math.max(1, Math.min(2 * step, limit)) };
}
