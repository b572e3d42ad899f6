import { ENTRY_TENANT, type Again } from '@sluice/contracts';
import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import { entryRules, type LaneRules } from '../limits/lane-rules.ts';
import { limitFor } from '../priority/ask.ts';
import type { Cell, Demands, Lane, Permit } from '../ports/permit-store.ts';
import { claimOf, DEFAULT_BUDGET, type BudgetRules } from '../retry/budget.ts';
import { acquirePermits, type AcquireDeps, type Acquired, type AcquireOptions } from './acquire.ts';
import { cellPausedUntil, expiredPermits, limitNow, livePermits, mostCells, roomIn, type KnownCell } from './cells.ts';
import { wakeLane } from './wake.ts';
import { entryPermit, entryPlaces, heldBy, IN_LINE, yieldedOf, type EntryPlace } from './entry-places.ts';

/** Looks at one cell: as it was remembered, as it then is, and once more after a race. */
const MAX_TRIES = 3;

/** The entry pool of a type: what its lanes without a share draw on together. It has cells as a lane has. */
export function entryOfType(type: string): Lane {
  return { tenant: ENTRY_TENANT, type };
}

/** Where the permit of an attempt is: in its lane, or in the entry pool. */
export function homeOf({ tenant, type }: Lane, entry: boolean | undefined): Lane {
  return entry ? entryOfType(type) : { tenant, type };
}

/** Whether a lane may draw on the entry pool. One with rates, or with a part of its resources', may not: its share comes within seconds, its pace holds meanwhile. */
export function mayEnter(rules: LaneRules, first: KnownCell | undefined): boolean {
  const isPaced = rules.rates !== undefined || first?.rateShare !== undefined;
  return rules.divided === true && !isPaced && (first?.share?.share ?? 0) === 0 && !first?.share?.closed;
}

export interface AcquiredSomewhere {
  readonly cells: Acquired;
  /** The permits as they are held; those of the entry pool have another name there. */
  readonly permits: readonly Permit[];
  /** Which of them are of the entry pool. */
  readonly entered: ReadonlySet<number>;
  /** The lane could have had more of the entry pool, were it not full. */
  readonly full: boolean;
}

/**
 * Takes permits of a lane; for one without a share, of the entry pool: one read and one write, where there is room. Retries in
 * the pool cost one write more, for the lane's own budget.
 */
export async function acquireOrEnter(
  deps: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  permits: readonly Permit[],
  options: AcquireOptions = {},
): Promise<AcquiredSomewhere> {
  if (mayEnter(rules, deps.views?.cell(lane, 0))) {
    // What had no share a while ago may have one now, and nobody else tells.
    const first = await deps.permits.read(lane, 0);
    deps.views?.see(lane, 0, first);
    if (mayEnter(rules, first)) return enter(deps, lane, rules, permits, options, first);
  }
  return { cells: await acquirePermits(deps, lane, rules, permits, options), permits, entered: new Set(), full: false };
}

interface Wanted {
  readonly index: number;
  readonly permit: Permit;
  readonly again: Again | undefined;
  readonly fresh: boolean;
}

async function enter(
  deps: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  permits: readonly Permit[],
  { again = [], budget = DEFAULT_BUDGET, askers = [] }: AcquireOptions,
  first: Cell,
): Promise<AcquiredSomewhere> {
  const cells: (number | 'budget' | undefined)[] = permits.map(() => undefined);
  const held = permits.map((permit) => entryPermit(lane.tenant, permit));
  const { left } = claimOf(first.budget, budget, 1, deps.clock.now());
  let retries = 0;
  let pending = held.flatMap((permit, index): Wanted[] => {
    if (again[index] === 'retry' && ++retries > left) {
      cells[index] = 'budget';
      return [];
    }
    return [{ index, permit, again: again[index], fresh: askers[index]?.fresh ?? true }];
  });
  // What began while it had a share counts for its concurrency, too.
  const places = await placesOf(deps, lane, rules, livePermits(first, deps.clock.now()).length);
  const start = Math.floor(deps.random.fraction() * places.length);
  let full = false;
  for (let n = 0; n < places.length && pending.length > 0; n++) {
    const place = places[(start + n) % places.length];
    if (!place) break;
    const found = await enterCell(deps, lane, rules, place, pending);
    for (const { index } of found.taken) cells[index] = place.cell;
    pending = pending.filter((each) => !found.taken.includes(each));
    full ||= found.full;
  }
  const started = held.flatMap((permit, index): Held[] => {
    const cell = cells[index];
    return again[index] === 'retry' && typeof cell === 'number' ? [{ index, permit, cell }] : [];
  });
  for (const { index } of await overBudget(deps, lane, budget, first, started)) cells[index] = 'budget';
  return { cells, permits: held, entered: new Set(cells.flatMap((cell, i) => (typeof cell === 'number' ? [i] : []))), full };
}

/** The cells of the pool that a lane draws on, and what it may have there. */
async function placesOf(
  deps: Pick<AcquireDeps, 'permits' | 'views'>,
  lane: Lane,
  rules: LaneRules,
  held = 0,
): Promise<readonly EntryPlace[]> {
  const pool = entryOfType(lane.type);
  let first: KnownCell | undefined = deps.views?.first(pool);
  if (!first) {
    const cell = await deps.permits.read(pool, 0);
    deps.views?.see(pool, 0, cell);
    first = cell;
  }
  const most = Math.max(0, Math.min(rules.concurrency - held, first.share?.each ?? rules.concurrency));
  return entryPlaces(lane.tenant, mostCells(entryRules(rules), first), most);
}

/** Takes as many as the cell has room for and the lane may have there. */
async function enterCell(
  deps: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  { cell, most }: EntryPlace,
  wanted: readonly Wanted[],
): Promise<{ readonly taken: readonly Wanted[]; readonly full: boolean }> {
  const pool = entryOfType(lane.type);
  const ofPool = entryRules(rules);
  let known = deps.views?.cell(pool, cell);
  let seen: Cell | undefined;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const now = deps.clock.now();
    const limit = limitNow(ofPool, cell, seen ?? known, now);
    const live = livePermits({ permits: seen?.permits ?? [] }, now);
    const own = most - heldBy(lane.tenant, live);
    if (own <= 0) return { taken: [], full: false };
    // Those in line come first, and whoever comes out of a backlog is one of them.
    const fresh = wanted.every((each) => each.fresh);
    const demands: Demands = fresh ? { yields: limit - yieldedOf(limit) } : {};
    const ask = wanted.slice(0, Math.max(0, Math.min(own, limitFor(seen ?? {}, limit, demands) - live.length)));
    if (ask.length === 0) {
      if (seen) return { taken: [], full: true };
      seen = known = await deps.permits.read(pool, cell);
      deps.views?.see(pool, cell, seen);
      continue;
    }
    const permits = ask.map(({ permit }) => permit);
    const answer = await deps.permits.acquire(pool, cell, permits, limit, undefined, demands);
    deps.views?.see(pool, cell, answer.cell);
    const after = deps.clock.now();
    if (answer.granted) {
      // Others of the lane may have been as quick.
      const over = Math.min(ask.length, Math.max(0, heldBy(lane.tenant, livePermits(answer.cell, after)) - most));
      if (over > 0) await deps.permits.release(pool, cell, permits.slice(-over));
      return { taken: ask.slice(0, ask.length - over), full: false };
    }
    const expired = expiredPermits(answer.cell, after);
    if (expired.length > 0) await deps.permits.release(pool, cell, expired);
    seen = answer.cell;
  }
  return { taken: [], full: true };
}

interface Held {
  readonly index: number;
  readonly permit: Permit;
  readonly cell: number;
}

/** Counts retries in their lane, whose budget it is. @returns those that others have been quicker with, given back */
async function overBudget(
  deps: AcquireDeps,
  lane: Lane,
  rules: BudgetRules,
  first: Cell,
  started: readonly Held[],
): Promise<readonly Held[]> {
  let known = first.budget;
  for (let tries = 0; tries < MAX_TRIES && started.length > 0; tries++) {
    const { left, base, next } = claimOf(known, rules, 1, deps.clock.now());
    if (left < started.length) break;
    const within = { seen: known?.next, base, next, most: (known?.retries ?? 0) + left };
    const { counted, cell } = await deps.permits.count(lane, 0, { firsts: 0, retries: started.length, within });
    if (counted) return [];
    known = cell.budget;
  }
  await Promise.all(started.map(({ permit, cell }) => deps.permits.release(entryOfType(lane.type), cell, [permit])));
  return started;
}

/** Permits of the entry pool that a lane may take now, a guess that saves a look at a backlog; and whether it is full. */
export async function roomToEnter(
  deps: Pick<AcquireDeps, 'permits' | 'views' | 'clock'>,
  lane: Lane,
  rules: LaneRules,
): Promise<{ readonly room: number; readonly full: boolean }> {
  const pool = entryOfType(lane.type);
  const places = await placesOf(deps, lane, rules);
  const rooms = await Promise.all(
    places.map(async (place) => roomAt(lane, rules, place, await deps.permits.read(pool, place.cell), deps.clock.now())),
  );
  return { room: rooms.reduce((sum, { room }) => sum + room, 0), full: rooms.some(({ full }) => full) };
}

function roomAt(
  lane: Lane,
  rules: LaneRules,
  { cell, most }: EntryPlace,
  seen: Cell,
  now: number,
): { readonly room: number; readonly full: boolean } {
  const left = roomIn(entryRules(rules), cell, seen, now);
  const own = most - heldBy(lane.tenant, livePermits(seen, now));
  return { room: Math.max(0, Math.min(left, own)), full: left === 0 && own > 0 };
}

/**
 * Puts a lane whose backlog waits for the entry pool in line at one of its cells: whoever gives a permit back there tells it.
 * Where there is no room in line, control's next round tells it.
 */
export async function lineUp(deps: PlaceDeps & Pick<AcquireDeps, 'permits' | 'views'>, lane: Lane, rules: LaneRules): Promise<void> {
  const places = await placesOf(deps, lane, rules);
  const place = places[Math.floor(deps.random.fraction() * places.length)];
  if (!place) return;
  const pool = entryOfType(lane.type);
  const cell = await deps.permits.lineUp(pool, place.cell, lane.tenant, IN_LINE);
  // Given back since it was refused, or left to those who were in line before.
  const { room } = roomAt(lane, rules, place, cell, deps.clock.now());
  if (room === 0) {
    // Nobody gives anything back of a cell that pauses.
    const at = cellPausedUntil(entryRules(rules), cell);
    if (at > deps.clock.now() && cell.line?.includes(lane.tenant)) await wakeLane(deps, lane, at);
    return;
  }
  const before = (cell.line ?? []).filter((tenant) => tenant !== lane.tenant);
  const called = [...before, lane.tenant].slice(0, room);
  await deps.permits.called(pool, place.cell, called);
  await placeLaneHints(
    deps,
    called.map((tenant) => ({ tenant, type: lane.type })),
  );
}
