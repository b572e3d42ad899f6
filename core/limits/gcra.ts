/**
 * The generic cell rate algorithm (ITU-T I.371, 1993), a token bucket that is one number: the theoretical arrival time,
 * TAT, at which all that was let pass would have arrived had it come at an even pace. Several windows hold at once.
 *
 * The burst of a window is its limit. So over a long time no more than the limit passes in each window, and in any one
 * window at most twice that: the burst of a lane that has rested, and what the window itself brings.
 */
export interface Rate {
  /** Starts in a window at most. */
  readonly limit: number;
  /** The window, s. */
  readonly perSeconds: number;
}

/** Microseconds in a ms: of a limit of thousands a second, ms would lose too much. */
export const US = 1_000;
/** A part of a rate that lets nothing pass is looked at again so much later, ms: who raises it tells before that. */
const NOTHING_MS = 60_000;

/** What one window lets pass, and how its TAT is written: what was seen of it is a condition, so that no read is needed. */
export interface RateStep {
  /** - `rested`: the TAT is past, or absent. - `busy`: it is ahead. - `stray`: it is further ahead than the rate can bring it. */
  readonly was: 'rested' | 'busy' | 'stray';
  /** µs: the time as it is now, and what the starts add. */
  readonly now: number;
  readonly add: number;
  /** µs: the TAT as it may be at most, before. */
  readonly most: number;
  /** µs: the TAT that was seen. */
  readonly seen: number | undefined;
  /** Of a part of the rates of resources; else of a rate of the lane's own. */
  readonly part?: Rate;
}

export interface RateClaim {
  /** Starts that may pass now, of those that were wanted. */
  readonly allowed: number;
  /** ms: when the next one may pass, where none may now; rounded up. */
  readonly nextAt: number;
  /** For each window, where some may pass: the lane's own ones first. */
  readonly steps: readonly RateStep[];
}

/** Rates in the order in which their TATs are kept, so that it does not matter how they are written. */
export function inOrder(rates: readonly Rate[]): readonly Rate[] {
  return rates.toSorted((a, b) => a.perSeconds - b.perSeconds || a.limit - b.limit);
}

/** µs that one start takes of its window; rounded up, so that no more than the limit passes. */
export function intervalOf({ limit, perSeconds }: Rate): number {
  return Math.ceil((perSeconds * 1_000 * US) / limit);
}

/** A part of the rates of resources, and its TAT, µs. */
interface Part extends Rate {
  readonly tat: number;
}

/**
 * Looks at what may pass now; nothing is taken by that.
 * @param tats µs, one for each rate {@link inOrder}
 * @param parts of the rates of resources: each has its own TAT, which is never a former rate's
 */
export function claimRates(
  rates: readonly Rate[],
  tats: readonly (number | undefined)[],
  wanted: number,
  nowMs: number,
  parts: readonly Part[] = [],
): RateClaim {
  const now = nowMs * US;
  if (parts.some(({ limit }) => limit === 0)) return { allowed: 0, nextAt: nowMs + NOTHING_MS, steps: [] };
  let allowed = wanted;
  let next = now;
  const claim = (rate: Rate, tat: number | undefined, part?: Rate) => {
    const interval = intervalOf(rate);
    const stray = !part && tat !== undefined && tat > now + interval * rate.limit;
    const from = tat === undefined || stray ? now : Math.max(tat, now);
    // A clock that is behind the one that has set the TAT sees less than nothing.
    allowed = Math.max(0, Math.min(allowed, Math.floor((now + interval * rate.limit - from) / interval)));
    next = Math.max(next, from + interval - interval * rate.limit);
    return { rate, interval, tat, was: stray ? ('stray' as const) : from > now ? ('busy' as const) : ('rested' as const), part };
  };
  const windows = [
    ...inOrder(rates).map((rate, i) => claim(rate, tats[i])),
    ...parts.map(({ limit, perSeconds, tat }) => claim({ limit, perSeconds }, tat, { limit, perSeconds })),
  ];
  const steps = windows.map(({ rate, interval, tat, was, part }): RateStep => ({
    was,
    now,
    add: allowed * interval,
    most: now + interval * (rate.limit - allowed),
    seen: tat,
    ...(part && { part }),
  }));
  return { allowed, nextAt: Math.ceil(next / US), steps: allowed > 0 ? steps : [] };
}

/** The TAT after a step, or nothing where its condition is lost. */
export function stepped(tat: number | undefined, { was, now, add, most, seen }: RateStep): number | undefined {
  switch (was) {
    case 'rested':
      return tat === undefined || tat <= now ? now + add : undefined;
    case 'busy':
      return tat !== undefined && tat > now && tat <= most ? tat + add : undefined;
    case 'stray':
      return tat === seen ? now + add : undefined;
  }
}
