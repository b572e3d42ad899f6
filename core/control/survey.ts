import { limitOf } from '../limits/aimd.ts';
import { laneRules } from '../limits/lane-rules.ts';
import { cellLimits, cellsInUse, hasBacklog, hasRetries, livePermits } from '../permits/cells.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cell, PermitStore } from '../ports/permit-store.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { sumOf, type Standing } from './targets.ts';
import type { DividedLane, World } from './world.ts';
import { laneKey } from '../permits/lane-key.ts';

export interface SurveyDeps {
  readonly permits: PermitStore;
  readonly backlog: BacklogStore;
  readonly clock: Clock;
}

/** Lanes that are read at once. */
const AT_ONCE = 25;
/** Hints that are counted of a lane, and lanes that are counted: of more it is taken that each could use all that it may. */
const COUNTED = 200;
const LANES_COUNTED = 2_000;
/** A lane that has had no work for so long gives up its share. */
export const IDLE_MS = 120_000;

/** Reads how lanes stand: what they hold and what waits. Those that had nothing and of which nothing was heard are not read. */
export async function survey(deps: SurveyDeps, world: World, lanes: readonly DividedLane[]): Promise<readonly Standing[]> {
  const working = new Set(world.working.map(laneKey));
  const rests = (lane: DividedLane): boolean =>
    lane.grant?.idleSince !== undefined &&
    sumOf(lane.grant.shares) === 0 &&
    lane.grant.shares.length >= lane.cells &&
    !working.has(laneKey(lane.lane)) &&
    lane.grant.closed === (lane.closed || undefined);
  const resting = lanes.filter(rests).map((lane): Standing => ({ ...lane, shares: [], held: [], demand: 0, cap: 0, stale: false }));
  const others = lanes.filter((lane) => !rests(lane));
  const many = others.length > LANES_COUNTED;
  const all = await sideBySide(others, AT_ONCE, (lane) => standingOf(deps, world, lane, working.has(laneKey(lane.lane)), many));
  return [...resting, ...all];
}

async function standingOf(deps: SurveyDeps, world: World, lane: DividedLane, heard: boolean, many: boolean): Promise<Standing> {
  // What began before the type was divided is in any of the cells that it had.
  const before = lane.grant || lane.entry !== undefined ? 1 : cellLimits(lane.concurrency).length;
  const count = Math.max(before, lane.cells, lane.grant?.shares.length ?? 0);
  const cells = await Promise.all(Array.from({ length: count }, (_, cell) => deps.permits.read(lane.lane, cell)));
  const now = deps.clock.now();
  const held = cells.map((cell) => livePermits(cell, now).length);
  // A round that died half-way may have written the one and not the other.
  const said = cells.map(({ share }) => share?.share ?? 0);
  const granted = lane.grant?.shares ?? [];
  const shares = said.map((share, cell) => Math.max(share, granted[cell] ?? 0));
  const stale =
    shares.some((share, cell) => share !== said[cell]) ||
    (cells.slice(0, lane.cells).some(({ share }) => share === undefined) && (lane.closed || lane.entry !== undefined)) ||
    (cells[0]?.share !== undefined && (cells[0].share.closed ?? false) !== lane.closed);
  const standing = { ...lane, shares, held, stale, demand: 0, cap: 0 };
  if (lane.entry !== undefined) return standing;
  const cap = capOf(world, lane, cells);
  const waiting = await waitingIn(deps, lane, cells, cap, many);
  const wanted = Math.min(cap, sumOf(held) + waiting);
  const idleSince = lane.grant?.idleSince ?? now;
  // It drew on what is kept for newcomers, or has just ended: it keeps one for a while.
  const lingers = heard || (sumOf(shares) > 0 && now - idleSince < IDLE_MS);
  const demand = wanted === 0 && lingers ? 1 : wanted;
  return { ...standing, cap: demand === 0 ? 0 : cap, demand };
}

/** What a lane may use: twice what it has found to be good, so that it can find more. */
function capOf({ types }: World, { lane, concurrency }: DividedLane, cells: readonly Cell[]): number {
  const spec = types.get(lane.type);
  const rules = spec && laneRules(spec);
  if (!rules?.aimd) return concurrency;
  const { aimd } = rules;
  const found = cells.slice(0, cellsInUse(rules, cells[0])).reduce((sum, cell) => sum + limitOf(cell.aimd, aimd, concurrency), 0);
  return Math.min(concurrency, 2 * found);
}

async function waitingIn(
  { backlog }: SurveyDeps,
  { lane }: DividedLane,
  cells: readonly Cell[],
  cap: number,
  many: boolean,
): Promise<number> {
  if (!cells.some((cell) => hasBacklog(cell) || hasRetries(cell))) return 0;
  if (many) return cap;
  const { count, more } = await backlog.measure(lane, Math.min(cap, COUNTED));
  return more ? cap : count;
}
