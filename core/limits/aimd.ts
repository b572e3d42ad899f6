import type { Aimd, AimdRules, Ends } from './aimd-state.ts';
import { holdTimes, isAtKnee, isBlind, isNewsLate, kneeOf, mostOf, withBaseOf } from './hold-times.ts';

export type { Aimd, AimdRules, Ends } from './aimd-state.ts';

/**
 * - `start` 10: ten attempts at once hurt nobody (TCP begins with ten segments, RFC 6928), and a lane of ten, which is the
 *   default, needs no slow start.
 * - `rate` 2 %: the throttled share that is accepted. From it on the limit is multiplied, below it moves by one.
 * - `count` 3: one or two throttled attempts may be chance.
 * - `windowMs` 10 s: three signals further apart than this are less than one in three seconds.
 * - `decrease` 0.9: that it was too much is known, not by how much.
 */
export const AIMD_DEFAULTS: AimdRules = { start: 10, count: 3, rate: 0.02, windowMs: 10_000, decrease: 0.9 };

/** Share of the limit in flight from which it counts as used: half of it where something waits (RFC 7661), or nearly all. */
const USED = { waiting: 0.5, else: 0.9 };
/**
 * Successes for one step up, where one signal is a step down: 2.4 by the rate, so that in a steady state 1 / 2.4 of the rate is
 * throttled, by default one attempt in 120. Of a small limit no more rounds are waited for than these, fewest of a cell among others,
 * which all try.
 */
const STEP_UP = { successes: 2.4, rounds: { alone: 60, others: 10 } };
/** The same where throttles are heard of so late that what one step brings is not known before many more. */
const LATE_STEP_UP = { successes: 270, rounds: 10 };
/** Steps of this height and higher wait for a round only: that far beyond the old top all has gone well. */
const HIGH_STEP = 4;
/** Cuts that follow each other within so many times as an attempt is held are of one fall: what ran before it still ends. */
const OF_ONE_FALL = 2;
/** Fallen to that part of where it began, and from so high: nothing is known of what is between. */
const DEEP = { part: 1 / 4, from: 8 };
/** ms between two attempts of a cell whose only attempt is throttled: twice as long each time. */
const PAUSE = { least: 1_000, most: 30_000 };

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
    pause: 0,
    base: 0,
    spent: 0,
    most: 0,
  };
}

/** ms: nothing starts before. */
export function pausedUntil({ cutAt, pause }: Pick<Aimd, 'cutAt' | 'pause'>): number {
  return pause > 0 ? cutAt + pause : 0;
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
  const aimd = withBaseOf(known ?? initial(rules, share), ends);
  if (ends.throttled.length > 0) return onSignals(aimd, ends, rules, now);
  const deep = aimd.slow > 0 && isNewsLate(aimd, rules) ? loweredToKnee(aimd, ends, now) : undefined;
  return deep ?? grown(aimd, ends, rules, share, now);
}

function onSignals(known: Aimd, ends: Ends, rules: AimdRules, now: number): Aimd | undefined {
  const aimd = { ...known, lag: Math.max(0, now - Math.max(...ends.throttled)) };
  const fresh = ends.throttled.filter((claimedAt) => claimedAt > aimd.cutAt).length;
  if (fresh === 0) return onLateSignals(aimd, ends, rules);
  const deep = isNewsLate(aimd, rules) ? loweredToKnee(aimd, ends, now) : undefined;
  if (deep) return deep;
  const window = isWatched(aimd, rules, now)
    ? { at: aimd.at, good: aimd.good, slow: aimd.slow + fresh }
    : { at: now, good: ends.good, slow: fresh, most: mostOf(aimd, ends, now) };
  const rate = window.slow / (window.slow + ends.good - window.good);
  const next = { ...aimd, ...window };
  if (window.slow >= Math.min(rules.count, aimd.limit) && rate >= rules.rate) return lowered(next, rate, ends, rules, now);
  return isNearTop(aimd, rules) && aimd.limit > 1 ? steppedBack(next, fresh, ends, rules, now) : next;
}

/** Whether a window of signals goes on. */
export function isWatched({ slow, at }: Aimd, { windowMs }: AimdRules, now: number): boolean {
  return slow > 0 && now - at < windowMs;
}

/** Out of slow start, where each signal and each number of successes moves the limit by one. */
function isNearTop(aimd: Aimd, rules: AimdRules): boolean {
  return aimd.top > 0 && !isNewsLate(aimd, rules);
}

/**
 * One step down for each signal, and all of the last step up. With a step up for a number of successes that finds the limit of
 * which a known share is throttled (C. Kaernbach, "Simple adaptive testing with the weighted up-down method", 1991). The window of
 * signals goes on.
 */
function steppedBack(aimd: Aimd, signals: number, ends: Ends, rules: AimdRules, now: number): Aimd {
  const { at, good, slow, step } = aimd;
  const limit = Math.max(1, aimd.limit - Math.max(step, signals));
  // What was raised since the fall has found out how far.
  const top = step === 0 && isBelowTop(aimd) ? topOfFall(aimd, rules, now) : 0;
  return { ...cut(aimd, limit, Math.max(limit + 1, top), ends, now), at, good, slow };
}

/** Whether the limit was lowered just now: what ran before still ends. */
export function isFalling({ cutAt, base }: Pick<Aimd, 'cutAt' | 'base'>, now: number): boolean {
  return now - cutAt < OF_ONE_FALL * base;
}

/** Where the fall began that goes on; 0 when none does, or it is told too late. */
function topOfFall(aimd: Aimd, rules: AimdRules, now: number): number {
  return isFalling(aimd, now) && !isNewsLate(aimd, rules) ? aimd.top : 0;
}

function isBelowTop({ limit, top }: Aimd): boolean {
  return limit < top - 1;
}

/** Where far more wait than run, or far fewer run than did, one that waited in vain is enough. */
function loweredToKnee(aimd: Aimd, ends: Ends, now: number): Aimd | undefined {
  if (!isUsed(aimd.limit, ends)) return undefined;
  const knee = kneeOf(aimd, ends, now);
  if (knee === undefined) return undefined;
  const limit = Math.min(aimd.limit, Math.max(1, Math.floor(knee)));
  return cut(aimd, limit, limit, ends, now);
}

/** Each attempt in flight at the time ends once: those that were throttled were that many too many, unless it is known how many are not. */
function onLateSignals(aimd: Aimd, { throttled }: Ends, rules: AimdRules): Aimd | undefined {
  if (aimd.limit === 1 || isAtKnee(aimd)) return undefined;
  const late = aimd.late + throttled.length;
  const room = Math.max(1, aimd.flight - late);
  return {
    ...aimd,
    late,
    limit: Math.min(aimd.limit, room),
    top: isBelowTop(aimd) && !isNewsLate(aimd, rules) ? aimd.top : Math.min(aimd.top, room + 1),
  };
}

function lowered(aimd: Aimd, rate: number, ends: Ends, rules: AimdRules, now: number): Aimd {
  const from = Math.max(1, Math.min(aimd.limit, ends.flight));
  // One step too far is no sign that the capacity has fallen.
  const factor = aimd.step === 1 ? rules.decrease : rules.decrease * (1 - rate / 2);
  // What was raised by more than one at a time was well before that.
  const to = aimd.step > 1 ? Math.min(from * factor, aimd.limit - aimd.step) : from * factor;
  const limit = Math.max(1, Math.min(Math.floor(to), aimd.limit - 1));
  const top = Math.max(from, limit + 1, topOfFall(aimd, rules, now));
  const isDeep = top >= DEEP.from && limit <= DEEP.part * top && !isNewsLate(aimd, rules);
  return cut(aimd, limit, isDeep ? 0 : top, ends, now);
}

function cut(aimd: Aimd, limit: number, top: number, ends: Ends, now: number): Aimd {
  const { flight, good } = ends;
  return {
    ...aimd,
    ...holdTimes(aimd, ends, now),
    limit,
    top,
    step: 0,
    round: good,
    since: now,
    cutAt: now,
    flight,
    late: 0,
    at: now,
    good,
    slow: 0,
    pause: aimd.limit === 1 ? Math.min(PAUSE.most, Math.max(PAUSE.least, 2 * aimd.pause)) : 0,
  };
}

/** A limit that nobody needs is not raised. */
export function isUsed(limit: number, { flight, waiting }: Ends): boolean {
  return flight >= (waiting ? USED.waiting : USED.else) * limit;
}

function grown(aimd: Aimd, ends: Ends, rules: AimdRules, share: number, now: number): Aimd | undefined {
  if (aimd.pause > 0) return ends.good > aimd.good ? { ...aimd, pause: 0 } : undefined;
  const { limit, top } = aimd;
  const isHeld = isWatched(aimd, rules, now) && (isBelowTop(aimd) || !isNearTop(aimd, rules));
  if (isHeld || limit >= share || !isUsed(limit, ends)) return undefined;
  const { successes, step } = nextStep(aimd, ends, rules);
  if (ends.good - aimd.round < successes) return undefined;
  const to = Math.min(share, limit + step);
  if (isBlind(aimd, to, ends, rules, now)) return undefined;
  return {
    ...aimd,
    ...holdTimes(aimd, ends, now),
    limit: isBelowTop(aimd) ? Math.min(to, top - 1) : to,
    step: to - limit,
    round: ends.good,
    since: now,
  };
}

/** The successes that the next step asks for, and its height. */
function nextStep(aimd: Aimd, { others = false }: Ends, rules: AimdRules): { readonly successes: number; readonly step: number } {
  const { limit, top, step } = aimd;
  if (top === 0) return { successes: limit, step: limit };
  if (isBelowTop(aimd)) return { successes: limit, step: Math.max(1, Math.floor((top - limit) / 4)) };
  const isLate = isNewsLate(aimd, rules);
  const successes = isLate
    ? Math.max(LATE_STEP_UP.successes, LATE_STEP_UP.rounds * limit)
    : Math.min(Math.ceil(STEP_UP.successes / rules.rate), limit * (others ? STEP_UP.rounds.others : STEP_UP.rounds.alone));
  if (limit < top) return { successes, step: 1 };
  // Beyond the old top nothing is known: as long as it goes well, twice as far each time.
  const next = Math.max(1, Math.min(2 * step, limit));
  return { successes: isLate || step >= HIGH_STEP ? limit : Math.max(limit, successes), step: next };
}
