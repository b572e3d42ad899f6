import type { Cell, Permit } from '../ports/permit-store.ts';
import { claimOf, type BudgetRules } from '../retry/budget.ts';

/** Permits that one cell holds within 1 KB, so that writing it costs one unit. */
export const PERMITS_PER_CELL = 50;

/** A lane's limit, divided over as few cells as hold it. */
export function cellLimits(limit: number): readonly number[] {
  const cells = Math.max(1, Math.ceil(limit / PERMITS_PER_CELL));
  return Array.from({ length: cells }, (_, i) => Math.floor(limit / cells) + (i < limit % cells ? 1 : 0));
}

export function livePermits(cell: Cell, now: number): readonly Permit[] {
  return cell.permits.filter((p) => p.expiry > now);
}

export function expiredPermits(cell: Cell, now: number): readonly Permit[] {
  return cell.permits.filter((p) => p.expiry <= now);
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
