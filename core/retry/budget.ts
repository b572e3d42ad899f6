import type { TaskTypeSpec } from '@sluice/contracts';
import type { Budget, Mark } from '../ports/permit-store.ts';

/** What retries a lane may start, beside its first attempts. */
export type BudgetRules = NonNullable<TaskTypeSpec['retryBudget']>;

export const DEFAULT_BUDGET: BudgetRules = { percent: 20, perMinute: 60 };

/** ms. */
export const BUDGET_WINDOW_MS = 60_000;

/** What a claim of retries says to the cell: how far the window is rolled, and what its counter may be afterwards. */
export interface BudgetClaim {
  /** Retries that may be started now. */
  readonly left: number;
  readonly base: Mark;
  readonly next: Mark;
}

/**
 * Retries that a cell may start now: those since its base are at most the greater of the floor and a share of the first
 * attempts since then. Two marks make the window roll: the base is one to three windows old, and what is between the
 * marks becomes the base's when the later one is a window old. First attempts only ever grow, so an old view allows less.
 *
 * So of any window of 60 s: its retries are at most the greater of the floor and the share of the first attempts of the
 * three windows that end with it. (After the idea of Finagle's `RetryBudget`.)
 *
 * @param cells the floor of a lane is divided over as many, at least one for each
 */
export function claimOf(budget: Budget | undefined, rules: BudgetRules, cells: number, now: number): BudgetClaim {
  const { firsts = 0, retries = 0 } = budget ?? {};
  const here: Mark = { at: now, firsts, retries };
  const { base, next } = rolled(budget, here);
  const floor = Math.max(1, Math.floor(rules.perMinute / cells));
  const share = Math.floor((rules.percent / 100) * (firsts - base.firsts));
  return { base, next, left: Math.max(0, Math.max(floor, share) - (retries - base.retries)) };
}

function rolled(budget: Budget | undefined, here: Mark): { base: Mark; next: Mark } {
  const { base, next } = budget ?? {};
  if (!base || !next) return { base: here, next: here };
  const age = here.at - next.at;
  if (age < BUDGET_WINDOW_MS) return { base, next };
  return age < 2 * BUDGET_WINDOW_MS ? { base: next, next: here } : { base: here, next: here };
}
