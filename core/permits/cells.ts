import { limitOf, pausedUntil } from '../limits/aimd.ts';
import { claimRates, type RateClaim } from '../limits/gcra.ts';
import type { LaneRules } from '../limits/lane-rules.ts';
import type { Cell, Permit } from '../ports/permit-store.ts';
import { claimOf, type BudgetRules } from '../retry/budget.ts';

/** Permits that one cell holds within 1 KB, beside all else that it may hold, so that writing it costs one unit. */
export const PERMITS_PER_CELL = 40;

/** What is known of a cell, if it is no more than what limits it. */
export type KnownCell = Pick<Cell, 'share' | 'aimd' | 'cells' | 'tats' | 'rateShare'>;

/** A lane's limit, divided over as few cells as hold it. */
export function cellLimits(limit: number): readonly number[] {
  const cells = Math.max(1, Math.ceil(limit / PERMITS_PER_CELL));
  return Array.from({ length: cells }, (_, i) => Math.floor(limit / cells) + (i < limit % cells ? 1 : 0));
}

/** Attempts at once that a cell may have at most: what it was given, or its part of the lane's concurrency. */
export function shareOf({ concurrency, divided }: LaneRules, index: number, cell: KnownCell | undefined): number {
  return cell?.share?.share ?? (divided ? 0 : (cellLimits(concurrency)[index] ?? 0));
}

/** ms: a cell starts nothing before, as its only attempt was throttled. */
export function cellPausedUntil(rules: LaneRules, cell: KnownCell | undefined): number {
  return rules.aimd && cell?.aimd ? pausedUntil(cell.aimd) : 0;
}

/** Attempts at once that a cell may have now, its pauses apart. What is not known is taken to be as a new lane begins. */
export function cellLimit(rules: LaneRules, index: number, cell: KnownCell | undefined): number {
  const share = shareOf(rules, index, cell);
  return rules.aimd ? limitOf(cell?.aimd, rules.aimd, share) : share;
}

/** Cells that a lane may have at most. Each has its share whether or not it is in use, so that no two have the same. */
export function mostCells({ concurrency, divided }: LaneRules, first: KnownCell | undefined): number {
  return Math.max(1, first?.share?.cells ?? (divided ? 1 : cellLimits(concurrency).length));
}

/** Cells that are in use, as the first one says: those of a lane that finds its limit itself grow with it. */
export function cellsInUse(rules: LaneRules, first: KnownCell | undefined): number {
  const most = mostCells(rules, first);
  return rules.aimd && !rules.spread ? Math.min(most, first?.cells ?? 1) : most;
}

export function livePermits(cell: Pick<Cell, 'permits'>, now: number): readonly Permit[] {
  return cell.permits.filter((p) => p.expiry > now);
}

export function expiredPermits(cell: Pick<Cell, 'permits'>, now: number): readonly Permit[] {
  return cell.permits.filter((p) => p.expiry <= now);
}

/** Attempts at once that a cell may have now: none while it pauses. */
export function limitNow(rules: LaneRules, index: number, cell: KnownCell | undefined, now: number): number {
  return cellPausedUntil(rules, cell) > now ? 0 : cellLimit(rules, index, cell);
}

/** Permits that a cell has left. */
export function roomIn(rules: LaneRules, index: number, cell: Cell, now: number): number {
  return Math.max(0, limitNow(rules, index, cell, now) - livePermits(cell, now).length);
}

/** Starts that the rates of a lane, and its parts of those of its resources, let pass now, of those that are wanted. */
export function ratesOf({ rates = [], divided }: LaneRules, first: KnownCell | undefined, wanted: number, now: number): RateClaim {
  const parts = divided ? (first?.rateShare?.windows ?? []) : [];
  if (rates.length === 0 && parts.length === 0) return { allowed: wanted, nextAt: now, steps: [] };
  return claimRates(rates, first?.tats ?? [], wanted, now, parts);
}

/** Whether a lane may have rates to keep to, as far as its first cell is known. */
export function isPaced({ rates, divided }: LaneRules, first: KnownCell | undefined): boolean {
  return rates !== undefined || (divided === true && (!first || first.rateShare !== undefined));
}

/**
 * When a lane goes on that starts nothing now: because its rates let nothing pass, or because the one cell that it uses
 * pauses. `undefined` where it waits for neither.
 */
export function goesOnAt(rules: LaneRules, first: Cell | undefined, now: number): number | undefined {
  const { allowed, nextAt } = ratesOf(rules, first, 1, now);
  const paused = cellsInUse(rules, first) === 1 ? cellPausedUntil(rules, first) : 0;
  if (allowed > 0 && paused <= now) return undefined;
  return Math.max(paused, nextAt);
}

/** Whether something waits for permits alone. */
export function hasBacklog(cell: Cell): boolean {
  return cell.raised > cell.cleared;
}

/** Whether retries wait for their budget. */
export function hasRetries({ waiting }: Cell): boolean {
  return waiting !== undefined && waiting.raised > waiting.cleared;
}

/** Retries that a cell may start now. */
export function retriesLeft(cell: Cell, rules: BudgetRules, cells: number, now: number): number {
  return claimOf(cell.budget, rules, cells, now).left;
}
