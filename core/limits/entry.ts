import { divide, type Pool } from './divide.ts';

/** The part of a capacity that is kept for lanes without a share: a tenth. */
const ENTRY_PART = 10;

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
