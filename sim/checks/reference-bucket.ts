import type { Rate } from '../../core/limits/gcra.ts';

/** Sums of fractions are not exact. */
const NOTHING = 1e-6;

/** The one token bucket that all starts of a rate must fit into, however it is divided. */
export class ReferenceBucket {
  #slack: number;
  #rate: Rate;
  #tokens: number;
  #at: number;

  /** @param slack starts that it may hold beyond its limit. @default none */
  constructor(rate: Rate, at: number, slack = 0) {
    this.#rate = rate;
    this.#slack = slack;
    this.#tokens = rate.limit + slack;
    this.#at = at;
  }

  /** Starts that it has left after these; below 0 where they were too many. */
  take(n: number, now: number): number {
    this.#fill(now);
    this.#tokens -= n;
    return this.#tokens + NOTHING;
  }

  /** Starts that it gets beside what time brings. */
  give(n: number, now: number): void {
    this.#fill(now);
    this.#tokens = Math.min(this.#rate.limit + this.#slack, this.#tokens + n);
  }

  /** From then on its limit is another one, and it is full. */
  renew(limit: number, slack: number, now: number): void {
    this.#rate = { ...this.#rate, limit };
    this.#slack = slack;
    this.#tokens = limit + slack;
    this.#at = now;
  }

  #fill(now: number): void {
    const { limit, perSeconds } = this.#rate;
    const brought = (Math.max(0, now - this.#at) * limit) / (perSeconds * 1_000);
    this.#tokens = Math.min(limit + this.#slack, this.#tokens + brought);
    this.#at = Math.max(this.#at, now);
  }
}
