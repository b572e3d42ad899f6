import type { RateRest } from '@sluice/contracts';
import { restAfter, type RestOfRate } from '../../limits/rate-share.ts';
import type { ResourceRate } from './windows.ts';

/** Stored starts have that many decimals; rounded down. */
const PARTS = 1e6;

/**
 * What resources' rates have left that no lane has. A rate that never gave anything away has all of its starts: whoever begins to use
 * it may start as many as the limit at once.
 */
export class RateRests {
  readonly #found: ReadonlyMap<string, RateRest>;
  readonly #now: number;
  readonly #windows = new Map<ResourceRate, RestOfRate>();

  /** @param freeOf of a rate's limit, what no lane has */
  constructor(found: readonly RateRest[], rates: readonly ResourceRate[], freeOf: (rate: ResourceRate) => number, now: number) {
    this.#found = new Map(found.map((rest) => [rest.resource, rest]));
    this.#now = now;
    for (const rate of rates) {
      // Below 0 where a deployment has lowered the rate.
      const free = freeOf(rate);
      const known = this.#known(rate);
      const was = known ?? { perSeconds: rate.perSeconds, free: Math.max(0, free), tokens: Math.max(0, free) };
      this.#windows.set(rate, restAfter(was, known ? now - (this.#found.get(rate.resource)?.at ?? now) : 0, free));
    }
  }

  /** A part that a lane has given back, and the starts that it had left. */
  giveBack(rate: ResourceRate, limit: number, tokens: number): void {
    const rest = this.#windows.get(rate);
    if (rest) this.#windows.set(rate, { ...rest, free: rest.free + limit, tokens: rest.tokens + tokens });
  }

  /** Takes a part of each for a lane. @returns the starts that come with it */
  take(rates: readonly ResourceRate[], limit: number): number {
    const tokens = Math.min(limit, ...rates.map((rate) => this.left(rate)));
    for (const rate of rates) {
      const rest = this.#windows.get(rate);
      if (!rest) continue;
      this.#windows.set(rate, { ...rest, free: rest.free - limit, tokens: rest.tokens - tokens });
    }
    return tokens;
  }

  /** Starts that a rate has left. */
  left(rate: ResourceRate): number {
    return Math.max(0, leftOf(this.#windows.get(rate)));
  }

  /** What has to be written: a rest that only grows by itself need not. */
  changed(): readonly RateRest[] {
    const resources = new Map<string, ResourceRate[]>();
    for (const rate of this.#windows.keys()) resources.set(rate.resource, [...(resources.get(rate.resource) ?? []), rate]);
    return [...resources].flatMap(([resource, rates]): RateRest[] => {
      const windows = rates.map((rate) => this.#stored(rate));
      return rates.every((rate) => this.#isSame(rate)) ? [] : [{ v: 1, resource, at: this.#now, windows }];
    });
  }

  #known({ resource, perSeconds }: ResourceRate): RestOfRate | undefined {
    return this.#found.get(resource)?.windows.find((window) => window.perSeconds === perSeconds);
  }

  #isSame(rate: ResourceRate): boolean {
    const [known, rest] = [this.#known(rate), this.#windows.get(rate)];
    if (!known || !rest || known.free !== Math.max(0, rest.free)) return false;
    const at = this.#found.get(rate.resource)?.at ?? this.#now;
    return restAfter(known, this.#now - at, rest.free).tokens === rest.tokens;
  }

  #stored(rate: ResourceRate): RestOfRate {
    const rest = this.#windows.get(rate);
    const tokens = Math.floor(this.left(rate) * PARTS) / PARTS;
    return { perSeconds: rate.perSeconds, free: Math.max(0, rest?.free ?? 0), tokens };
  }
}

/** Never more starts than what is nobody's holds. */
function leftOf(rest: RestOfRate | undefined): number {
  return rest ? Math.min(rest.free, rest.tokens) : 0;
}
