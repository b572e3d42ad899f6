import { divide, type Pool } from './divide.ts';

/** The part of a capacity that is kept for lanes without a share, whatever the others need: a tenth. */
const ENTRY_PART = 10;
/** A lane that needs less of a capacity than a twentieth is small: whole shares for many of those would be used badly. */
const SMALL_PART = 20;
/**
 * Standard deviations of a Poisson number that small lanes together are given beyond what they need just now: from so many to so many
 * nothing changes, so that a pool does not follow each swing of chance.
 */
const DEVIATIONS = { least: 3, given: 4, most: 5 };

/** Attempts at once of a capacity that are kept for lanes without a share: a tenth of it, at least one. */
export function entryOf(capacity: number): number {
  return Math.min(capacity, Math.max(1, Math.floor(capacity / ENTRY_PART)));
}

/**
 * Attempts at once that newcomers to each type may have together. What a resource keeps for them is divided among the
 * types that draw on it; where it keeps less than one for each, they take turns.
 */
export function entriesOf(types: ReadonlyMap<string, readonly Pool[]>, turn: number): ReadonlyMap<string, number> {
  const kept = new Map<Pool, Pool>();
  const keptOf = (pool: Pool): Pool => {
    const of = kept.get(pool) ?? { capacity: entryOf(pool.capacity) };
    kept.set(pool, of);
    return of;
  };
  const names = [...types.keys()];
  const parts = divide(
    names.map((key) => {
      const pools = (types.get(key) ?? []).map(keptOf);
      return { key, demand: Math.min(...pools.map(({ capacity }) => capacity)), pools };
    }),
    turn,
  );
  return new Map(names.map((name, i) => [name, parts[i]?.needed ?? 0]));
}

/**
 * Whether a lane is small, so that it has no share of its own but draws on the entry pool. One that has a share keeps it until it
 * needs half as much.
 * @param demand attempts at once that it needs
 * @param capacity the least of those that it draws on
 */
export function isSmall(demand: number, capacity: number, hasShare: boolean): boolean {
  const small = Math.max(1, capacity / SMALL_PART);
  return demand <= (hasShare ? small / 2 : small);
}

/** Attempts at once that one lane may have of an entry pool: twice what makes it small, at least one. */
export function entryOfLane(capacity: number): number {
  return Math.max(1, Math.floor((2 * capacity) / SMALL_PART));
}

/**
 * What many small lanes need together: what they need just now, and what chance adds to that.
 * @param demand attempts at once that they need now
 * @param has what they have together
 */
export function poolDemand(demand: number, has: number): number {
  const upTo = (deviations: number): number => Math.ceil(demand + deviations * Math.sqrt(demand));
  return has >= upTo(DEVIATIONS.least) && has <= upTo(DEVIATIONS.most) ? has : upTo(DEVIATIONS.given);
}
