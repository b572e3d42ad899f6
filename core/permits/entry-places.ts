import { hash32 } from '../routing/shuffle-shard.ts';
import type { Permit } from '../ports/permit-store.ts';

/**
 * Cells of an entry pool that one lane draws on: with some to choose from it seldom finds all full while others have room. One that may have
 * more than forty attempts at once has a cell more for each ten, up to eight: a batch still finds its room in one of them.
 */
const PLACES = { least: 4, each: 10, most: 8 };
/** Lanes that wait in line for one cell: a few names, so that it stays within 1 KB. */
export const IN_LINE = 3;
/** Part of a cell that is left to the lanes in line for it, where there are any. */
const YIELDED = 0.1;

/** A cell of an entry pool, and attempts at once that one lane may have there. */
export interface EntryPlace {
  readonly cell: number;
  readonly most: number;
}

/**
 * The cells of an entry pool that a lane draws on, by rendezvous hashing: the same as long as the pool has as many cells, so that
 * what the lane may have in each of them is a bound for all that it has.
 * @param cells of the pool
 * @param most attempts at once of the lane; none where it is 0
 */
export function entryPlaces(tenant: string, cells: number, most: number): readonly EntryPlace[] {
  const ranked = Array.from({ length: cells }, (_, cell) => ({ cell, rank: hash32(`${tenant}#${cell}`) }));
  const places = Math.min(PLACES.most, Math.max(PLACES.least, Math.floor(most / PLACES.each)), most);
  const chosen = ranked.sort((a, b) => b.rank - a.rank || a.cell - b.cell).slice(0, places);
  return chosen.map(({ cell }, n) => ({ cell, most: Math.floor(most / chosen.length) + (n < most % chosen.length ? 1 : 0) }));
}

/** What others may not fill of a cell that lanes wait in line for: a tenth of it, at least one. @param limit permits of the cell */
export function yieldedOf(limit: number): number {
  return Math.max(1, Math.floor(YIELDED * limit));
}

/** The tag of a permit's name, where it has one. */
export function tagIn(nonce: string): string | undefined {
  const at = nonce.lastIndexOf('~');
  return at > 0 ? nonce.slice(at) : undefined;
}

/** What marks the permits of a tenant in an entry pool. Two tenants in 46,656 have the same: each is then held for a bit more than it has. */
export function tagOf(tenant: string): string {
  return `~${(hash32(tenant) % 36 ** 3).toString(36).padStart(3, '0')}`;
}

/** The permit under the name that it has in an entry pool. */
export function entryPermit(tenant: string, { expiry, nonce }: Permit): Permit {
  return { expiry, nonce: `${nonce}${tagOf(tenant)}` };
}

/** How many of these are a tenant's. */
export function heldBy(tenant: string, permits: readonly Permit[]): number {
  const tag = tagOf(tenant);
  return permits.filter(({ nonce }) => nonce.endsWith(tag)).length;
}
