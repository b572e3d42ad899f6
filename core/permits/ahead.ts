import { PERMITS_PER_CELL } from './cells.ts';

/** A cell of less has none to spare: its tasks wait for one attempt or two anyway. */
const LEAST_LIMIT = 4;
const PART = 1 / 8;
const MORE = 2;

/**
 * Permits that a cell may hold beyond its limit for tasks that are claimed before there is a slot for them: an eighth of the limit
 * and two more. That is about what ends while a claim is made, 75 ms, of attempts of half a second. With them it holds no more than
 * a cell may hold.
 */
export function aheadOf(limit: number): number {
  return limit < LEAST_LIMIT ? 0 : Math.max(0, Math.min(asMany(limit), PERMITS_PER_CELL - limit));
}

/** The same of what one dispatcher runs in a cell: as much as its own slots can soon take. */
export function aheadOfSlots(slots: number): number {
  return slots === 0 ? 0 : asMany(slots);
}

/** What is known of a cell and of one dispatcher's claims in it. */
export interface CellUse {
  readonly limit: number;
  /** Permits, all of them, and those that are not this dispatcher's. */
  readonly held: number;
  readonly others: number;
  /** Of this dispatcher: its slots, and its claims that wait for one. */
  readonly slots: number;
  readonly waiting: number;
}

/** Permits that a dispatcher asks a cell for: those that are free, and as many beyond the limit as its slots can soon take. */
export function askable({ limit, held, others, slots, waiting }: CellUse): number {
  const wanted = Math.max(0, limit - others - slots) + Math.min(aheadOf(limit), aheadOfSlots(slots)) - waiting;
  return Math.max(0, limit - held, Math.min(limit + aheadOf(limit) - held, wanted));
}

/** ms: attempts that take longer on average use 95 % of a capacity without it, and the lease would be spent waiting. */
const SHORT_MS = 2_000;
/** How much the latest attempt counts in their mean. */
const WEIGHT = 1 / 8;

/** The mean of how long a dispatcher's attempts take, ms, with one more: the latest count more. */
export function meanWith(mean: number | undefined, ms: number): number {
  return mean === undefined ? ms : mean + WEIGHT * (ms - mean);
}

/** Whether attempts are short enough for others to be claimed ahead; not before one has ended. */
export function isShort(mean: number | undefined): boolean {
  return mean !== undefined && mean <= SHORT_MS;
}

function asMany(count: number): number {
  return Math.ceil(count * PART) + MORE;
}
