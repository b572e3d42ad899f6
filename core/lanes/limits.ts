import type { LaneCapacity, LaneSummary, TaskTypeSpec } from '@sluice/contracts';
import { laneRules, NO_RULES, type LaneRules } from '../limits/lane-rules.ts';
import { cellLimit, cellsInUse, livePermits, mostCells, shareOf } from '../permits/cells.ts';
import type { Cell } from '../ports/permit-store.ts';

/** A lane's limit, and what it is made of: attempts at once. */
export interface LaneLimits {
  readonly rules: LaneRules;
  /** Cells that are in use. */
  readonly inUse: readonly Cell[];
  readonly inFlight: number;
  readonly limit: number;
  /** What its cells were given, or have of its concurrency. */
  readonly allowed: number;
  /** What was given to its cells; absent where nothing ever was. */
  readonly share?: number;
  /** What it has found that is behind it takes. */
  readonly adaptive?: number;
}

/** @param cells all that the lane may have, from the first on */
export function limitsOf(spec: TaskTypeSpec | undefined, cells: readonly Cell[], now: number): LaneLimits {
  const rules = spec ? laneRules(spec) : NO_RULES;
  const [first] = cells;
  const inUse = cells.slice(0, cellsInUse(rules, first));
  const all = cells.slice(0, mostCells(rules, first));
  const shares = all.flatMap(({ share }) => share?.share ?? []);
  const { aimd } = rules;
  return {
    rules,
    inUse,
    inFlight: sum(cells.map((cell) => livePermits(cell, now).length)),
    limit: spec ? sum(inUse.map((cell, index) => cellLimit(rules, index, cell))) : 0,
    allowed: spec ? sum(all.map((cell, index) => shareOf(rules, index, cell))) : 0,
    ...(shares.length > 0 && { share: sum(shares) }),
    ...(aimd && { adaptive: sum(inUse.map((cell) => Math.max(1, cell.aimd?.limit ?? aimd.start))) }),
  };
}

/** What makes the limit: the lowest of what it has found, what its type allows, and what it was given. */
export function limiterOf(
  { limit, allowed, rules }: LaneLimits,
  capacities: readonly LaneCapacity[],
): NonNullable<LaneSummary['limitedBy']> {
  if (limit < allowed) return { by: 'adaptive' };
  if (allowed >= rules.concurrency || capacities.length === 0) return { by: 'concurrency' };
  const [tightest] = capacities.toSorted((a, b) => leftOf(a) - leftOf(b));
  return tightest && leftOf(tightest) <= 0 ? { by: tightest.by, name: tightest.name } : { by: 'share' };
}

/** What a capacity has left to give; of a resource that is not deployed nothing. */
function leftOf({ attempts, given }: LaneCapacity): number {
  return attempts === undefined ? Number.NEGATIVE_INFINITY : attempts - given;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
