import { adapt, AIMD_DEFAULTS, limitOf, pausedUntil, type Aimd } from '../../core/limits/aimd.ts';

export interface CapacityModel {
  /** Attempts that what is downstream runs at once, at a time in ms. */
  readonly capacity: (at: number) => number;
  /** ms: the mean of how long an attempt runs; from half of it to one and a half. */
  readonly runs: number;
  /** ms that an attempt takes to be refused, or to be too old. */
  readonly refusedAfter: number;
  /** ms from the end of an attempt to the claim of the next one: there is always one. */
  readonly refill: number;
  readonly share: number;
  readonly ms: number;
  readonly seed?: number;
}

export interface ModelEnd {
  readonly at: number;
  readonly throttled: boolean;
  /** As it was after the end. */
  readonly limit: number;
  readonly flight: number;
}

/** One lane cell with a backlog that never ends, before a capacity that nobody tells it of, in virtual time. */
export function runModel({ capacity, runs, refusedAfter, refill, share, ms, seed = 1 }: CapacityModel): readonly ModelEnd[] {
  const ends: ModelEnd[] = [];
  const due: { at: number; run: () => void }[] = [];
  const chance = chanceOf(seed);
  let [now, flight, running, good, held] = [0, 0, 0, 0, 0];
  let aimd: Aimd | undefined;
  const limit = () => limitOf(aimd, AIMD_DEFAULTS, share);
  const after = (wait: number, run: () => void): void => {
    const at = now + wait;
    due.splice(placeIn(due, at), 0, { at, run });
  };
  const end = (claimedAt: number, throttled: boolean): void => {
    if (!throttled) {
      good += 1;
      held += now - claimedAt;
    }
    aimd = adapt(aimd, { throttled: throttled ? [claimedAt] : [], good, held, flight, waiting: true }, AIMD_DEFAULTS, share, now) ?? aimd;
    flight -= 1;
    ends.push({ at: now, throttled, limit: limit(), flight });
    after(Math.max(refill, aimd ? pausedUntil(aimd) - now : 0), fill);
  };
  const start = (): void => {
    const claimedAt = now;
    flight += 1;
    if (running >= capacity(now)) return after(refusedAfter, () => end(claimedAt, true));
    running += 1;
    after(runs * (0.5 + chance()), () => {
      running -= 1;
      end(claimedAt, false);
    });
  };
  const fill = (): void => {
    while (flight < limit() && now >= (aimd ? pausedUntil(aimd) : 0)) start();
  };
  fill();
  for (let next = due.shift(); next && next.at <= ms; next = due.shift()) {
    now = next.at;
    next.run();
  }
  return ends;
}

/** Where something stands among what is due earlier or at the same time. */
function placeIn(due: readonly { at: number }[], at: number): number {
  let [low, high] = [0, due.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((due[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A linear congruential generator (Numerical Recipes). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export const between = (ends: readonly ModelEnd[], from: number, to: number): readonly ModelEnd[] =>
  ends.filter(({ at }) => at >= from && at < to);

/** Of a capacity of so many attempts at once, the share that was used. */
export function useOf(ends: readonly ModelEnd[], from: number, to: number, capacity: number, runs: number): number {
  return between(ends, from, to).filter(({ throttled }) => !throttled).length / ((capacity * (to - from)) / runs);
}

export function throttledShare(ends: readonly ModelEnd[], from: number, to: number): number {
  const some = between(ends, from, to);
  return some.filter(({ throttled }) => throttled).length / some.length;
}
