import { divide } from '../../limits/divide.ts';
import { Ledger } from '../ledger.ts';
import type { ResourceRate } from './windows.ts';

/** A lane, and what it has of the rates of its resources in windows of one length. */
export interface RateClaimant {
  /** Tells the lane from all others. */
  readonly key: string;
  readonly weight: number;
  /** Its limit now, or what it may be. */
  readonly has: number;
  /** Starts in a window that it could use; 0 where it has no work. */
  readonly demand: number;
  readonly rates: readonly ResourceRate[];
}

/** What a lane shall have. */
export interface RateTarget<C extends RateClaimant> {
  readonly claimant: C;
  /** It must have that much: less than it has is a reason to raise its limit. */
  readonly needed: number;
  /** What its limit becomes if it has to change. */
  readonly share: number;
}

/** How a lane uses its limit. */
export interface RateUse {
  /** Attempts at once that it could use; 0 where it has no work. */
  readonly demand: number;
  /** Permits that it holds. */
  readonly held: number;
  /** Hints in its backlog; infinite where they are too many to count. */
  readonly waits: number;
  readonly limit: number;
  /** Starts of its limit that it has used lately. */
  readonly used: number;
}

/**
 * Starts in a window that a lane could use. While something waits it is that beside what has started in the last window. One that
 * keeps up may need all that it has, or next to nothing: half of it is a guess that the next rounds make better, where others need it.
 */
export function rateDemand({ demand, held, waits, limit, used }: RateUse): number {
  if (demand === 0) return 0;
  if (waits > 0) return Math.ceil(used) + waits;
  return held === 0 ? 1 : Math.max(1, Math.ceil(used), Math.ceil(limit / 2));
}

/** Divides the rates of resources in windows of one length by weighted max-min fairness, as attempts at once are. */
export function rateTargets<C extends RateClaimant>(claimants: readonly C[], turn: number): readonly RateTarget<C>[] {
  const parts = divide(
    claimants.map(({ key, weight, demand, rates }) => {
      const most = Math.min(...rates.map(({ capacity }) => capacity));
      return { key, weight, demand: Math.min(demand, most), cap: demand > 0 ? most : 0, pools: rates };
    }),
    turn,
  );
  return claimants.map((claimant, i) => ({ claimant, ...(parts[i] ?? { needed: 0, share: 0 }) }));
}

/** What claimants leave of each rate. */
function ledgerOf<C extends RateClaimant>(claimants: readonly C[], has: (claimant: C) => number): Ledger<ResourceRate> {
  const ledger = new Ledger<ResourceRate>(({ capacity }) => capacity);
  for (const claimant of claimants) ledger.take(claimant.rates, has(claimant));
  return ledger;
}

/**
 * The limits that have to be lowered first: of lanes that shall have nothing, and of those with more than their part where a rate
 * has too little left for those that must have more. Where nobody needs it, a lane keeps what it has.
 */
export function lowerings<C extends RateClaimant>(targets: readonly RateTarget<C>[]): ReadonlyMap<C, number> {
  const ledger = ledgerOf(
    targets.map(({ claimant }) => claimant),
    ({ has }) => has,
  );
  for (const { claimant, needed, share } of targets) if (needed > claimant.has) ledger.take(claimant.rates, share - claimant.has);
  return new Map(
    targets.flatMap(({ claimant, share }): [C, number][] => {
      const pressed = claimant.rates.some((rate) => ledger.left(rate) < 0);
      return claimant.has > share && (share === 0 || pressed) ? [[claimant, share]] : [];
    }),
  );
}

/**
 * The limits that are then raised, as far as there is room, in the order in which they are given what is left of starts: those
 * furthest below what they must have come first.
 * @param hasNow what a lane has, now that others are lowered
 */
export function raisings<C extends RateClaimant>(
  targets: readonly RateTarget<C>[],
  hasNow: (claimant: C) => number,
): ReadonlyMap<C, number> {
  const ledger = ledgerOf(
    targets.map(({ claimant }) => claimant),
    hasNow,
  );
  const partOf = ({ claimant, needed }: RateTarget<C>): number => hasNow(claimant) / needed;
  const below = targets.filter(({ claimant, needed }) => needed > hasNow(claimant)).toSorted((a, b) => partOf(a) - partOf(b));
  return new Map(
    below.flatMap(({ claimant, share }): [C, number][] => {
      const has = hasNow(claimant);
      const to = Math.min(share, has + ledger.room(claimant.rates));
      if (to <= has) return [];
      ledger.take(claimant.rates, to - has);
      return [[claimant, to]];
    }),
  );
}
