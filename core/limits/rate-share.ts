import { intervalOf, US, type Rate } from './gcra.ts';

/** A lane's part of the rates of its resources in windows of one length, as its cell has it: a token bucket of its own. */
export interface RateWindow extends Rate {
  /** µs, the TAT. It is ahead by the whole window where no token is left. */
  readonly tat: number;
}

/** Starts that a part has left now, with their fraction: 0 to its limit. */
export function tokensOf({ limit, perSeconds, tat }: RateWindow, nowMs: number): number {
  if (limit === 0) return 0;
  const interval = intervalOf({ limit, perSeconds });
  const whole = interval * limit;
  return (whole - Math.min(whole, Math.max(0, tat - nowMs * US))) / interval;
}

/** A part with so many starts left; rounded so that it never has more. */
export function windowOf({ limit, perSeconds }: Rate, tokens: number, nowMs: number): RateWindow {
  const now = nowMs * US;
  if (limit === 0) return { limit, perSeconds, tat: now };
  const interval = intervalOf({ limit, perSeconds });
  return { limit, perSeconds, tat: now + Math.ceil(interval * limit - Math.max(0, Math.min(limit, tokens)) * interval) };
}

export interface Regranted {
  readonly window: RateWindow;
  /** Starts that went with what was taken. */
  readonly freed: number;
}

/**
 * Gives a part another limit. Starts are neither made nor lost by that: of a lower limit it keeps its proportion of what is
 * left, and a higher one brings no more than `brought`. So the starts of all parts, with those of what nobody has, are those of one
 * token bucket, however its limit is moved about between them.
 */
export function regrant(window: RateWindow, limit: number, brought: number, nowMs: number): Regranted {
  if (limit === window.limit) return { window, freed: 0 };
  const tokens = tokensOf(window, nowMs);
  const to = { limit, perSeconds: window.perSeconds };
  if (limit > window.limit) return { window: windowOf(to, tokens + brought, nowMs), freed: 0 };
  const kept = (tokens * limit) / window.limit;
  return { window: windowOf(to, kept, nowMs), freed: tokens - kept };
}

/** Of a resource's rate, what no lane has. It fills like any part of it. */
export interface RestOfRate {
  readonly perSeconds: number;
  /** How much of the limit that is. */
  readonly free: number;
  /** Starts that it has left, 0 to `free`. */
  readonly tokens: number;
}

/** What it has left after a while, of which no more than `free` was nobody's all the time. */
export function restAfter({ perSeconds, free, tokens }: RestOfRate, ms: number, freeNow: number): RestOfRate {
  const least = Math.max(0, Math.min(free, freeNow));
  return { perSeconds, free: freeNow, tokens: Math.min(least, tokens + (least * Math.max(0, ms)) / (perSeconds * 1_000)) };
}
