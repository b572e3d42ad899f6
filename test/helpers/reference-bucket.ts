import type { Rate } from '../../core/limits/gcra.ts';

/** Sums of fractions are not exact. */
const NOTHING = 1e-6;

/** The one token bucket that all starts of a rate must fit into, however it is divided. */
export class ReferenceBucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;

  constructor(rate: Rate, at: number) {
    this.#rate = rate;
    this.#tokens = rate.limit;
    this.#at = at;
  }

  /** Starts that it has left after these; below 0 where they were too many. */
  take(n: number, now: number): number {
    const { limit, perSeconds } = this.#rate;
    this.#tokens = Math.min(limit, this.#tokens + ((now - this.#at) * limit) / (perSeconds * 1_000)) - n;
    this.#at = now;
    return this.#tokens + NOTHING;
  }
}
