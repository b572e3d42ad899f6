import { PERMITS_PER_CELL } from '../permits/cells.ts';
import { Ledger } from './ledger.ts';
import { sumOf, takenBy, type Standing, type Target } from './targets.ts';
import type { Capacity } from './world.ts';

/** A share that changes. */
export interface Move {
  readonly standing: Standing;
  /** Attempts at once. */
  readonly to: number;
}

/**
 * A share over cells, one after the other, that of an entry pool evenly: a greater share lowers none of them and a smaller one
 * raises none, so that each write of a change moves into the same direction.
 */
export function cellShares(share: number, { cells: least, entry }: Pick<Standing, 'cells' | 'entry'>): readonly number[] {
  if (entry !== undefined) return Array.from({ length: least }, (_, n) => Math.floor((share + n) / least));
  const cells = Math.max(least, 1, Math.ceil(share / PERMITS_PER_CELL));
  return Array.from({ length: cells }, (_, n) => Math.max(0, Math.min(PERMITS_PER_CELL, share - n * PERMITS_PER_CELL)));
}

/** What lanes leave of each capacity. */
export function ledgerOf(lanes: readonly Standing[]): Ledger<Capacity> {
  const ledger = new Ledger<Capacity>(({ whole }) => whole);
  for (const { capacities, shares, held } of lanes) ledger.take(capacities, takenBy(shares, held));
  return ledger;
}

/**
 * The shares that have to be lowered first: of lanes that shall have nothing, and of those with more than their part
 * where a capacity has too little left for those that must have more. Where nobody needs it, a lane keeps what it has.
 * So are cells with more than they have of the same share, as an older version spread it.
 */
export function shrinks(targets: readonly Target[]): readonly Move[] {
  const ledger = ledgerOf(targets.map(({ standing }) => standing));
  for (const { standing, needed, share } of targets) {
    const has = sumOf(standing.shares);
    if (needed > has) ledger.take(standing.capacities, share - has);
  }
  return targets.flatMap(({ standing, share }) => {
    const has = sumOf(standing.shares);
    const pressed = standing.capacities.some((capacity) => ledger.left(capacity) < 0);
    if (has > share && (share === 0 || pressed)) return [{ standing, to: share }];
    const spread = cellShares(has, standing);
    return standing.shares.some((each, cell) => each > (spread[cell] ?? 0)) ? [{ standing, to: has }] : [];
  });
}

/** The shares that are then raised, as far as there is room: those furthest below what they must have come first. */
export function raises(targets: readonly Target[]): readonly Target[] {
  const below = targets.filter(({ standing, needed }) => needed > sumOf(standing.shares) || standing.stale);
  const partOf = ({ standing, needed }: Target): number => (needed === 0 ? 1 : sumOf(standing.shares) / needed);
  return below.toSorted((a, b) => partOf(a) - partOf(b));
}
