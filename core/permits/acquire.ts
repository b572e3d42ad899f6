import type { Again } from '@sluice/contracts';
import { askOf, limitForOne, orderOf, type Asker } from '../priority/ask.ts';
import type { RateClaim } from '../limits/gcra.ts';
import type { LaneRules } from '../limits/lane-rules.ts';
import type { Clock } from '../ports/clock.ts';
import type { Budget, Cell, Demands, Lane, Permit, PermitStore, Starts } from '../ports/permit-store.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { claimOf, DEFAULT_BUDGET, type BudgetRules } from '../retry/budget.ts';
import { aheadOf } from './ahead.ts';
import { cellLimit, cellsInUse, expiredPermits, isPaced, limitNow, livePermits, ratesOf, type KnownCell } from './cells.ts';
import { createLaneViews, type LaneViews } from './views.ts';

export interface AcquireDeps {
  readonly permits: PermitStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** @default nothing is remembered of lanes */
  readonly views?: LaneViews;
}

/** The lane's rates let none more pass before that time. */
export interface RateHeld {
  /** ms. */
  readonly nextAt: number;
}

/**
 * For each permit the cell that now holds it; `budget` for a retry that there is no budget for, a time where the lane's
 * rates hold it back, `undefined` where the lane is full.
 */
export type Acquired = readonly (number | 'budget' | RateHeld | undefined)[];

export interface AcquireOptions {
  /** What each permit is for. @default first attempts */
  readonly again?: readonly (Again | undefined)[] | undefined;
  readonly budget?: BudgetRules | undefined;
  /** For whom each permit is. @default nobody makes room for anybody */
  readonly askers?: readonly Asker[];
  /** ms for which who takes them goes on looking at the lane, so that it need not be told. @default it does not */
  readonly attendMs?: number | undefined;
  /**
   * Permits that each cell is asked for at most, of which some may be beyond its limit ({@link aheadOf}): whoever takes them starts no
   * attempt that has no slot. @default none is beyond the limit
   */
  readonly ahead?: ((cell: number) => number) | undefined;
}

interface Wanted {
  readonly index: number;
  readonly permit: Permit;
  readonly again: Again | undefined;
  readonly asker: Asker | undefined;
}

/** Cells that retries without budget are tried in: a wide lane has hundreds, and each try is a write. */
const BUDGETS_ASKED = 3;
/** Once for what is remembered of the cell, once for what its answer showed; after one more race it counts as full. */
const MAX_TRIES = 3;

/**
 * Takes permits of a lane, as many as there is room for and its rates let pass, by class and then the first ones first; of
 * retries no more than the lane's budget has. One call when a cell has room for all; a full cell is relieved of its expired permits and
 * asked again for what then fits. Retries cost one read more, rates of a lane with several cells one write.
 */
export async function acquirePermits(
  given: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  permits: readonly Permit[],
  { again = [], budget = DEFAULT_BUDGET, askers = [], attendMs, ahead }: AcquireOptions = {},
): Promise<Acquired> {
  const deps = { ...given, views: given.views ?? createLaneViews(given.clock) };
  const acquired: (number | 'budget' | RateHeld | undefined)[] = permits.map(() => undefined);
  const wanted = permits
    .map((permit, index): Wanted => ({ index, permit, again: again[index], asker: askers[index] }))
    .sort((a, b) => (a.asker && b.asker ? orderOf(a.asker) - orderOf(b.asker) : 0));
  // A TAT only grows: what the last one that was seen holds back need not be asked for. Where control has given more since, whoever
  // parks it sees that.
  const { allowed, nextAt } = ratesOf(rules, deps.views.cell(lane, 0), wanted.length, deps.clock.now());
  for (const { index } of wanted.slice(allowed)) acquired[index] = { nextAt };
  let pending = wanted.slice(0, allowed);
  const visits = visitsOf(deps, lane, rules);
  let refused = 0;
  for (let n = 0; n < visits.cells() && pending.length > 0; n++) {
    const cell = visits.at(n);
    const place = { cell, cells: visits.cells() };
    const asked = pending.slice(0, ahead?.(cell));
    const { taken, over, held } = await acquireInCell(deps, lane, rules, place, asked, { budget, attendMs, ahead });
    for (const { index } of taken) acquired[index] = cell;
    if (held) for (const { index } of held.of) acquired[index] = { nextAt: held.nextAt };
    if (over.length > 0) refused += 1;
    const last = refused === BUDGETS_ASKED || n === visits.cells() - 1;
    if (last) for (const { index } of over) acquired[index] = 'budget';
    pending = pending.filter((each) => !taken.includes(each) && !held?.of.includes(each) && !(last && over.includes(each)));
  }
  return acquired;
}

/** The lane's cells in the order in which they are asked: any of those in use first, or the first where their number is not known. */
function visitsOf(deps: AcquireDeps, lane: Lane, rules: LaneRules): { cells: () => number; at: (n: number) => number } {
  // The first cell knows of rates of resources, too.
  const asked = rules.aimd !== undefined || rules.divided === true;
  const known = asked ? deps.views?.first(lane) : undefined;
  const cells = () => cellsInUse(rules, deps.views?.cell(lane, 0));
  const start = Math.floor(deps.random.fraction() * (known || !asked ? cells() : 1));
  return { cells, at: (n) => (start + n) % cells() };
}

interface Place {
  readonly cell: number;
  /** How many cells of the lane are in use. */
  readonly cells: number;
}

interface Choice {
  readonly ask: readonly Wanted[];
  /** Retries that would have had room, but no budget. */
  readonly over: readonly Wanted[];
  readonly starts: Starts | undefined;
}

interface Answer {
  readonly taken: readonly Wanted[];
  readonly over: readonly Wanted[];
  /** What the lane's rates hold back. */
  readonly held?: { readonly of: readonly Wanted[]; readonly nextAt: number } | undefined;
}

async function acquireInCell(
  deps: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  place: Place,
  wanted: readonly Wanted[],
  { budget, attendMs, ahead }: Pick<AcquireOptions, 'attendMs' | 'ahead'> & { readonly budget: BudgetRules },
): Promise<Answer> {
  const { cell } = place;
  // The TATs are in the first cell: there they are stepped with the permits, for another cell's afterwards.
  const own: LaneRules = cell === 0 ? rules : { ...rules, rates: [] };
  const mayBeRated = cell === 0 && rules.divided === true;
  // What was nothing a while ago may be something now, and nobody else tells.
  const nothing = cellLimit(rules, cell, deps.views?.cell(lane, cell)) === 0;
  const read = nothing || wanted.some(isRetry) ? await deps.permits.read(lane, cell) : undefined;
  if (read) deps.views?.see(lane, cell, read);
  // At first it is asked as if it were empty.
  let seen: KnownCell & Partial<Cell> = { ...(read ?? deps.views?.cell(lane, cell)), permits: [] };
  let claim: RateClaim | undefined;
  let over: readonly Wanted[] = [];
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const asked = deps.clock.now();
    const limit = limitNow(rules, cell, seen, asked);
    const beyond = ahead ? aheadOf(limit) : 0;
    const live = livePermits({ permits: seen.permits ?? [] }, asked).length;
    const room = Math.max(0, limit + beyond - live);
    const view = seen;
    const hasRoom = ({ asker }: Wanted, taken: number) => !asker || live + taken < limitForOne(view, limit, asker, asked) + beyond;
    claim = ratesOf(own, seen, Math.min(room, wanted.length), asked);
    const choice = choose(wanted, { room: claim.allowed, hasRoom }, seen.budget, place, budget, asked);
    over = choice.over;
    if (choice.ask.length === 0) break;
    const steps = ratesOf(own, seen, choice.ask.length, asked).steps;
    const permits = choice.ask.map(({ permit }) => permit);
    const askers = choice.ask.flatMap(({ asker }) => asker ?? []);
    const demands: Demands = {
      adaptive: rules.aimd !== undefined,
      ...(steps.length > 0 && { rates: steps }),
      ...(mayBeRated && !seen.rateShare && { unrated: true }),
      ...(askers.length > 0 && { classes: askOf(askers, limit, asked) }),
      ...(attendMs !== undefined && { attended: asked + attendMs }),
      ...(beyond > 0 && { ahead: beyond }),
    };
    const answer = await deps.permits.acquire(lane, cell, permits, limit, choice.starts, demands);
    const now = deps.clock.now();
    deps.views?.see(lane, cell, answer.cell);
    measureUse(deps, lane, place, cellLimit(rules, cell, answer.cell), livePermits(answer.cell, now).length);
    if (answer.granted) {
      const paced = cell !== 0 && isPaced(rules, deps.views?.cell(lane, 0));
      const held = paced ? await spendRates(deps, lane, rules, cell, choice.ask) : undefined;
      return { taken: choice.ask.filter((each) => !held?.of.includes(each)), over, held };
    }
    const expired = expiredPermits(answer.cell, now);
    if (expired.length > 0) await deps.permits.release(lane, cell, expired);
    seen = answer.cell;
  }
  const held = claim?.allowed === 0 && claim.nextAt > deps.clock.now() ? { of: wanted, nextAt: claim.nextAt } : undefined;
  return { taken: [], over: held ? [] : over, held };
}

/** Steps the rates for permits that were taken in another cell than the first; those that they hold back are given back. */
async function spendRates(
  deps: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  cell: number,
  taken: readonly Wanted[],
): Promise<Answer['held']> {
  let first: KnownCell | undefined = deps.views?.cell(lane, 0);
  let claim: RateClaim | undefined;
  // One that has been forgotten since may have parts of resources' rates.
  const isKnown = (): boolean => first !== undefined || !rules.divided;
  for (let tries = 0; tries < MAX_TRIES && isKnown(); tries++) {
    claim = ratesOf(rules, first, taken.length, deps.clock.now());
    if (claim.allowed === 0 || claim.steps.length === 0) break;
    const { spent, cell: after } = await deps.permits.spend(lane, claim.steps, rules.divided === true && !first?.rateShare);
    deps.views?.see(lane, 0, after);
    first = after;
    if (spent) break;
    claim = undefined;
  }
  const of = taken.slice(claim?.allowed ?? 0);
  if (of.length === 0) return undefined;
  await deps.permits.release(
    lane,
    cell,
    of.map(({ permit }) => permit),
  );
  return { of, nextAt: ratesOf(rules, first, 1, deps.clock.now()).nextAt };
}

interface Room {
  readonly room: number;
  /** Whether its class may have one more, when so many have been taken. */
  readonly hasRoom: (wanted: Wanted, taken: number) => boolean;
}

function isRetry({ again }: Wanted): boolean {
  return again === 'retry';
}

function choose(
  wanted: readonly Wanted[],
  { room, hasRoom }: Room,
  known: Budget | undefined,
  { cells }: Place,
  rules: BudgetRules,
  now: number,
): Choice {
  const claim = claimOf(known, rules, cells, now);
  const ask: Wanted[] = [];
  const over: Wanted[] = [];
  let retries = 0;
  for (const each of wanted) {
    // A class that has no room has none for those after it, which may fill less.
    if (ask.length === room || !hasRoom(each, ask.length)) break;
    if (isRetry(each) && retries === claim.left) over.push(each);
    else {
      ask.push(each);
      if (isRetry(each)) retries += 1;
    }
  }
  const firsts = ask.filter(({ again }) => again === undefined).length;
  if (retries === 0) return { ask, over, starts: firsts > 0 ? { firsts, retries } : undefined };
  const { base, next, left } = claim;
  const most = (known?.retries ?? 0) + left;
  return { ask, over, starts: { firsts, retries, within: { seen: known?.next, base, next, most } } };
}

/** Of the whole lane, from the one cell that has been seen: permits are spread evenly, and another look would cost a read. */
function measureUse({ telemetry }: AcquireDeps, { type }: Lane, { cells }: Place, limit: number, live: number): void {
  if (limit > 0) telemetry.measure('lane.use', type, (100 * live) / limit);
  telemetry.measure('lane.limit', type, limit * cells);
  telemetry.measure('lane.in_flight', type, live * cells);
}
