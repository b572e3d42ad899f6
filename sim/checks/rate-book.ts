import type { Rate } from '../../core/limits/gcra.ts';
import { ReferenceBucket } from './reference-bucket.ts';

interface Entry {
  readonly at: number;
  readonly apply: (bucket: ReferenceBucket) => number;
}

/** What was started of a rate, by the time at which each start was claimed: a call that is under way for long is heard of out of order. */
export class RateBook {
  readonly #entries: Entry[] = [];
  readonly #rate: Rate;
  readonly #since: number;
  readonly #slack: number;

  constructor(rate: Rate, since: number, slack = 0) {
    this.#rate = { ...rate };
    this.#since = since;
    this.#slack = slack;
  }

  /** @returns the least that the one bucket ever has left, these starts included; below 0 where they are too many */
  take(n: number, at: number): number {
    this.#add({ at, apply: (bucket) => bucket.take(n, at) });
    const bucket = new ReferenceBucket(this.#rate, this.#since, this.#slack);
    return Math.min(...this.#entries.map(({ apply }) => apply(bucket)));
  }

  give(n: number, at: number): void {
    if (n > 0) this.#add({ at, apply: (bucket) => (bucket.give(n, at), Infinity) });
  }

  renew(limit: number, slack: number, at: number): void {
    this.#add({ at, apply: (bucket) => (bucket.renew(limit, slack, at), Infinity) });
  }

  #add(entry: Entry): void {
    const place = this.#entries.findLastIndex(({ at }) => at <= entry.at) + 1;
    this.#entries.splice(place, 0, entry);
  }
}
