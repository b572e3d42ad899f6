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

/** Microseconds: of a limit of thousands a second, ms would lose too much. */
const US = 1_000;

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
}

export interface RateClaim {
  /** Starts that may pass now, of those that were wanted. */
  readonly allowed: number;
  /** ms: when the next one may pass, where none may now; rounded up. */
  readonly nextAt: number;
  /** For each window, where some may pass. */
  readonly steps: readonly RateStep[];
}

/** Rates in the order in which their TATs are kept, so that it does not matter how they are written. */
export function inOrder(rates: readonly Rate[]): readonly Rate[] {
  return rates.toSorted((a, b) => a.perSeconds - b.perSeconds || a.limit - b.limit);
}

/** µs that one start takes of its window; rounded up, so that no more than the limit passes. */
function intervalOf({ limit, perSeconds }: Rate): number {
  return Math.ceil((perSeconds * 1_000 * US) / limit);
}

/**
 * Looks at what may pass now; nothing is taken by that.
 * @param tats µs, one for each rate {@link inOrder}
 */
export function claimRates(rates: readonly Rate[], tats: readonly (number | undefined)[], wanted: number, nowMs: number): RateClaim {
  const now = nowMs * US;
  let allowed = wanted;
  let next = now;
  const windows = inOrder(rates).map((rate, i) => {
    const interval = intervalOf(rate);
    const tat = tats[i];
    const stray = tat !== undefined && tat > now + interval * rate.limit;
    const from = tat === undefined || stray ? now : Math.max(tat, now);
    allowed = Math.min(allowed, Math.floor((now + interval * rate.limit - from) / interval));
    next = Math.max(next, from + interval - interval * rate.limit);
    return { rate, interval, tat, was: stray ? ('stray' as const) : from > now ? ('busy' as const) : ('rested' as const) };
  });
  const steps = windows.map(({ rate, interval, tat, was }): RateStep => ({
    was,
    now,
    add: allowed * interval,
    most: now + interval * (rate.limit - allowed),
    seen: tat,
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
