import type { Cell, Permit } from '../ports/permit-store.ts';

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

export function hasBacklog(cell: Cell): boolean {
  return cell.raised > cell.cleared;
}
