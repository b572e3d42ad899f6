import { limitOf } from '../limits/aimd.ts';
import { entryRules, laneRules, NO_RULES, type LaneRules } from '../limits/lane-rules.ts';
import { cellLimits, cellsInUse, hasBacklog, hasRetries, livePermits } from '../permits/cells.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Cell, Lane, PermitStore } from '../ports/permit-store.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { entryOfLane } from '../limits/entry.ts';
import { tagIn, tagOf } from '../permits/entry-places.ts';
import { sumOf, type Standing } from './targets.ts';
import { isRated } from './rates/windows.ts';
import { weigh } from './weigh.ts';
import { leastOf, type DividedLane, type World } from './world.ts';
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

/** Reads how lanes stand: what they hold and what waits. Those that had nothing and of which nothing was heard are not read. */
export async function survey(deps: SurveyDeps, world: World, lanes: readonly DividedLane[]): Promise<readonly Standing[]> {
  const working = new Set(world.working.map(laneKey));
  const rests = (lane: DividedLane): boolean =>
    lane.grant?.idleSince !== undefined &&
    sumOf(lane.grant.shares) === 0 &&
    lane.grant.shares.length >= lane.cells &&
    !working.has(laneKey(lane.lane)) &&
    lane.grant.closed === (lane.closed || undefined);
  const nothing = { shares: [], held: [], waits: 0, entered: 0, demand: 0, cap: 0, small: false, rests: true, stale: false };
  const resting = lanes.filter(rests).map((lane): Standing => ({ ...lane, ...nothing }));
  const entries = await sideBySide(
    lanes.filter(({ entry }) => entry !== undefined),
    AT_ONCE,
    (lane) => poolOf(deps, world, lane),
  );
  const inPools = new Map(entries.map(({ standing, tags }) => [standing.lane.type, tags]));
  const others = lanes.filter((lane) => lane.entry === undefined && !rests(lane));
  const many = others.length > LANES_COUNTED;
  const all = await sideBySide(others, AT_ONCE, (lane) => {
    const entered = inPools.get(lane.lane.type)?.get(tagOf(lane.lane.tenant)) ?? 0;
    return standingOf(deps, world, lane, { heard: working.has(laneKey(lane.lane)), many, entered });
  });
  return [...entries.map(({ standing }) => standing), ...resting, ...all];
}

interface Seen {
  readonly cells: readonly Cell[];
  readonly held: readonly number[];
  readonly shares: readonly number[];
  /** What is granted, or was, is not what the cells say. */
  readonly differs: boolean;
}

async function look(deps: SurveyDeps, { lane, grant }: DividedLane, count: number): Promise<Seen> {
  const cells = await Promise.all(
    Array.from({ length: Math.max(count, grant?.shares.length ?? 0) }, (_, cell) => deps.permits.read(lane, cell)),
  );
  const now = deps.clock.now();
  const held = cells.map((cell) => livePermits(cell, now).length);
  // A round that died half-way may have written the one and not the other.
  const said = cells.map(({ share }) => share?.share ?? 0);
  const granted = grant?.shares ?? [];
  const shares = said.map((share, cell) => Math.max(share, granted[cell] ?? 0));
  return { cells, held, shares, differs: shares.some((share, cell) => share !== said[cell]) };
}

/** An entry pool, and how many permits each tenant holds in it. */
async function poolOf(
  deps: SurveyDeps,
  world: World,
  lane: DividedLane,
): Promise<{ standing: Standing; tags: ReadonlyMap<string, number> }> {
  const { cells, held, shares, differs } = await look(deps, lane, lane.cells);
  const now = deps.clock.now();
  const tags = new Map<string, number>();
  for (const { nonce } of cells.flatMap((cell) => livePermits(cell, now))) {
    const tag = tagIn(nonce);
    if (tag !== undefined) tags.set(tag, (tags.get(tag) ?? 0) + 1);
  }
  const each = entryOfLane(leastOf(lane.capacities));
  const stale = differs || cells.slice(0, lane.cells).some(({ share }) => share?.each !== each || share.cells !== lane.cells);
  const cap = Math.min(leastOf(lane.capacities), 2 * foundBy(entryRules(rulesOf(world, lane.lane)), cells));
  return { standing: { ...lane, shares, held, waits: 0, entered: tags.size, demand: 0, cap, small: false, rests: false, stale }, tags };
}

interface Heard {
  /** It has a backlog, or control was told of it. */
  readonly heard: boolean;
  readonly many: boolean;
  /** Permits that it holds in the entry pool. */
  readonly entered: number;
}

async function standingOf(deps: SurveyDeps, world: World, lane: DividedLane, { heard, many, entered }: Heard): Promise<Standing> {
  // What began before the type was divided is in any of the cells that it had.
  const before = lane.grant ? 1 : cellLimits(lane.concurrency).length;
  const { cells, held, shares, differs } = await look(deps, lane, Math.max(before, lane.cells));
  const now = deps.clock.now();
  const stale =
    differs ||
    (cells.slice(0, lane.cells).some(({ share }) => share === undefined) && lane.closed) ||
    (cells[0]?.share !== undefined && (cells[0].share.closed ?? false) !== lane.closed);
  const cap = capOf(world, lane, cells);
  const waits = await waitingIn(deps, lane, cells, countedOf(world, lane, cap), many);
  const waiting = Math.min(cap, waits);
  const idleSince = lane.grant?.idleSince;
  const weighed = weigh(
    lane,
    { shares, held: sumOf(held), entered, waiting, cap, heard, ...(idleSince !== undefined && { idleSince }) },
    now,
  );
  return { ...lane, shares, held, first: cells[0], waits, entered, stale, ...weighed };
}

/** What a lane may use: twice what it has found to be good, so that it can find more. */
function capOf(world: World, { lane, concurrency }: DividedLane, cells: readonly Cell[]): number {
  return Math.min(concurrency, 2 * foundBy(rulesOf(world, lane), cells));
}

/** Attempts at once that the capacity behind the cells in use was found to take; infinite where nobody looks for it. */
function foundBy(rules: LaneRules, cells: readonly Cell[]): number {
  const { aimd } = rules;
  if (!aimd) return Infinity;
  return sumOf(cells.slice(0, cellsInUse(rules, cells[0])).map((cell) => limitOf(cell.aimd, aimd, Infinity)));
}

function rulesOf({ types }: World, { type }: Lane): LaneRules {
  const spec = types.get(type);
  return spec ? laneRules(spec) : NO_RULES;
}

/** Hints of a lane that are counted: as many as it could start at once, or, for a rate, in a while. */
function countedOf({ types, resources }: World, { lane }: DividedLane, cap: number): number {
  const spec = types.get(lane.type);
  return spec && isRated(spec, resources) ? COUNTED : Math.min(cap, COUNTED);
}

/** @returns infinitely many where there are more than are counted */
async function waitingIn(
  { backlog }: SurveyDeps,
  { lane }: DividedLane,
  cells: readonly Cell[],
  atMost: number,
  many: boolean,
): Promise<number> {
  if (!cells.some((cell) => hasBacklog(cell) || hasRetries(cell))) return 0;
  if (many) return Infinity;
  const { count, more } = await backlog.measure(lane, atMost);
  return more ? Infinity : count;
}
