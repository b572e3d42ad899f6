import type { Again } from '@sluice/contracts';
import { askOf, limitUnder, orderOf, type Asker } from '../priority/ask.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cell, ClassAsk, Lane, Permit, PermitStore, Starts } from '../ports/permit-store.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { claimOf, DEFAULT_BUDGET, type BudgetRules } from '../retry/budget.ts';
import { cellLimits, expiredPermits, livePermits } from './cells.ts';

export interface AcquireDeps {
  readonly permits: PermitStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
}

/** For each permit the cell that now holds it; `budget` for a retry that there is no budget for, `undefined` where the lane is full. */
export type Acquired = readonly (number | 'budget' | undefined)[];

export interface AcquireOptions {
  /** What each permit is for. @default first attempts */
  readonly again?: readonly (Again | undefined)[] | undefined;
  readonly budget?: BudgetRules | undefined;
  /** For whom each permit is. @default nobody makes room for anybody */
  readonly askers?: readonly Asker[];
}

interface Wanted {
  readonly index: number;
  readonly permit: Permit;
  readonly again: Again | undefined;
  readonly asker: Asker | undefined;
}

/** Cells that retries without budget are tried in: a wide lane has hundreds, and each try is a write. */
const BUDGETS_ASKED = 3;

/**
 * Takes permits of a lane, as many as there is room for, by class and then the first ones first; of retries no more than the
 * lane's budget has. One call when a cell has room for all; a full cell is relieved of its expired permits and asked again for what
 * then fits. Retries cost one read more.
 */
export async function acquirePermits(
  deps: AcquireDeps,
  lane: Lane,
  limit: number,
  permits: readonly Permit[],
  { again = [], budget = DEFAULT_BUDGET, askers = [] }: AcquireOptions = {},
): Promise<Acquired> {
  const limits = cellLimits(limit);
  const acquired: (number | 'budget' | undefined)[] = permits.map(() => undefined);
  const start = Math.floor(deps.random.fraction() * limits.length);
  let pending = permits
    .map((permit, index): Wanted => ({ index, permit, again: again[index], asker: askers[index] }))
    .sort((a, b) => (a.asker && b.asker ? orderOf(a.asker) - orderOf(b.asker) : 0));
  let refused = 0;
  for (let n = 0; n < limits.length && pending.length > 0; n++) {
    const cell = (start + n) % limits.length;
    const { taken, over } = await acquireInCell(deps, lane, { cell, limit: limits[cell] ?? 0, cells: limits.length }, pending, budget);
    for (const { index } of taken) acquired[index] = cell;
    if (over.length > 0) refused += 1;
    const last = refused === BUDGETS_ASKED || n === limits.length - 1;
    if (last) for (const { index } of over) acquired[index] = 'budget';
    pending = pending.filter((wanted) => !taken.includes(wanted) && !(last && over.includes(wanted)));
  }
  return acquired;
}

interface Place {
  readonly cell: number;
  readonly limit: number;
  /** How many cells the lane has. */
  readonly cells: number;
}

interface Choice {
  readonly ask: readonly Wanted[];
  /** Retries that would have had room, but no budget. */
  readonly over: readonly Wanted[];
  readonly starts: Starts | undefined;
  readonly classes: ClassAsk | undefined;
}

async function acquireInCell(
  deps: AcquireDeps,
  lane: Lane,
  place: Place,
  wanted: readonly Wanted[],
  budget: BudgetRules,
): Promise<{ taken: readonly Wanted[]; over: readonly Wanted[] }> {
  const { cell, limit } = place;
  let seen = wanted.some(isRetry) ? await deps.permits.read(lane, cell) : undefined;
  let choice = choose(wanted, limit, 0, seen, place, budget, deps.clock.now());
  // Twice: the second time for what the first answer showed to be free. A race lost then is a full cell.
  for (let tries = 0; tries < 2 && choice.ask.length > 0; tries++) {
    const asked = choice.ask.map(({ permit }) => permit);
    const answer = await deps.permits.acquire(lane, cell, asked, limit, choice.starts, choice.classes);
    const now = deps.clock.now();
    measureUse(deps, lane, place, livePermits(answer.cell, now).length);
    if (answer.granted) return { taken: choice.ask, over: choice.over };
    const expired = expiredPermits(answer.cell, now);
    if (expired.length > 0) await deps.permits.release(lane, cell, expired);
    seen = answer.cell;
    choice = choose(wanted, limit, livePermits(seen, now).length, seen, place, budget, now);
  }
  return { taken: [], over: choice.over };
}

function isRetry({ again }: Wanted): boolean {
  return again === 'retry';
}

function choose(
  wanted: readonly Wanted[],
  limit: number,
  held: number,
  seen: Cell | undefined,
  { cells }: Place,
  rules: BudgetRules,
  now: number,
): Choice {
  const claim = claimOf(seen?.budget, rules, cells, now);
  const ask: Wanted[] = [];
  const over: Wanted[] = [];
  let retries = 0;
  for (const each of wanted) {
    // A class that has no room has none for those after it, which may fill less.
    if (held + ask.length >= roomOf(each, limit, seen, now)) break;
    if (isRetry(each) && retries === claim.left) over.push(each);
    else {
      ask.push(each);
      if (isRetry(each)) retries += 1;
    }
  }
  const askers = ask.flatMap(({ asker }) => asker ?? []);
  const classes = askers.length > 0 ? askOf(askers, limit, now) : undefined;
  const firsts = ask.filter(({ again }) => again === undefined).length;
  if (retries === 0) return { ask, over, starts: firsts > 0 ? { firsts, retries } : undefined, classes };
  const { base, next, left } = claim;
  const most = (seen?.budget?.retries ?? 0) + left;
  return { ask, over, starts: { firsts, retries, within: { seen: seen?.budget?.next, base, next, most } }, classes };
}

/** What the cell may hold with this one, by what is known of it. */
function roomOf({ asker }: Wanted, limit: number, seen: Cell | undefined, now: number): number {
  return asker && seen ? limitUnder(seen, limit, askOf([asker], limit, now)) : limit;
}

/** Of the whole lane, from the one cell that has been seen: permits are spread evenly, and another look would cost a read. */
function measureUse({ telemetry }: AcquireDeps, { type }: Lane, { limit, cells }: Place, live: number): void {
  telemetry.measure('lane.use', type, (100 * live) / limit);
  telemetry.measure('lane.in_flight', type, live * cells);
}
