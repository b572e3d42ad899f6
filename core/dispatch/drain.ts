import { PRIORITIES, type HintedTask, type Priority, type TaskTypeSpec } from '@sluice/contracts';
import { gateOf } from '../breakers/gate.ts';
import { isPast } from '../hints/decide.ts';
import { laneRules, type LaneRules } from '../limits/lane-rules.ts';
import { cellLimit, goesOnAt, hasBacklog, hasRetries, ratesOf, retriesLeft, roomIn } from '../permits/cells.ts';
import { lineUp, mayEnter, roomToEnter } from '../permits/entry.ts';
import { readLane } from '../permits/read-lane.ts';
import { wakeLane } from '../permits/wake.ts';
import type { Cell, Lane, Place } from '../ports/permit-store.ts';
import { DEFAULT_BOUNDS } from '../priority/turns.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { isAuto } from '../starts/choose.ts';
import { limitForOne } from '../priority/ask.ts';
import { createAhead, type Ahead } from './ahead.ts';
import { ATTEND_MS, LOOK_MS } from './attend.ts';
import { candidates, workOf } from './candidates.ts';
import { MARGIN_MS, type ProcessOptions } from './process.ts';
import { createSlots, type Slots } from './slots.ts';
import { tellControl } from './tell-control.ts';
import { modeOf, runMs, type DispatchDeps, type Drained, type Work } from './work.ts';
import { laneKey } from '../permits/lane-key.ts';

/** Items of the backlog that are taken in one go. */
const AT_ONCE = 50;
/** Items that are looked at for what has expired behind a breaker or a full lane. */
const HELD_LOOKED_AT = 500;
/** ms between two looks of an environment at a full lane. */
const FULL_LOOK_MS = 20_000;
/** Looks at a full lane until what was promised is over. */
const LOOKS = Math.ceil(ATTEND_MS / LOOK_MS);
/** ms: a lane that its rates hold back for so long is looked at meanwhile. */
const LONG_MS = 10_000;
/** Time that one more round needs at least, ms. */
const ROUND_MS = 5_000;

/**
 * Works off a lane's backlog while there are permits and time. Where it waits for attempts, each that ends makes room for the
 * next. What it leaves, the next release or the minute goes on with.
 */
export async function drainLane(given: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<Drained> {
  const spec = await given.types.get(lane.type);
  if (!spec) return 'left';
  const ahead = await aheadIn(given, lane, spec, options);
  const deps = ahead ? { ...given, views: ahead.views, waitingIn: ahead.waiting } : given;
  let gate = await gateOf(deps, lane.type);
  // With `wait` its own attempts that end are what it goes on with. Probes are for the lanes of all types that a breaker holds.
  const attends = gate === 'open' && (await modeOf(deps, spec)) === 'event';
  let [looks, attendedUntil] = [LOOKS, 0];
  /** The last look comes after all that was promised, so that no permit is given back unseen. */
  const lookAgain = async (): Promise<boolean> => {
    if (looks === LOOKS || gate !== 'open') return false;
    looks += 1;
    await deps.timer.sleep(LOOK_MS);
    return true;
  };
  const slots = createSlots(deps, lane, { ...options, ahead, ...(attends && { attendMs: ATTEND_MS }) });
  try {
    while (await hasTime(deps, options, spec)) {
      gate = await gateOf(deps, lane.type);
      if (gate === 'shut') {
        await expireHeld(deps, lane, slots);
        return 'left';
      }
      slots.look();
      const next = await nextOf(deps, lane, spec, options, slots, gate === 'open' ? ahead : undefined);
      const works = next.works.filter((work) => !slots.holds(work));
      if (works.length === 0) {
        if (await slots.ended()) continue;
        if (next.waits && next.attendedUntil <= attendedUntil && (await lookAgain())) continue;
        return 'left';
      }
      // Where one is past its time, many are: they go many at a time, and the permits to what may still start.
      if (works.some(({ task }) => mayExpire(task, deps.clock.now())) && (await expireHeld(deps, lane, slots))) continue;
      if (await slots.start(works, next.most)) {
        if (!attends) continue;
        looks = 0;
        attendedUntil = deps.clock.now() + ATTEND_MS;
        continue;
      }
      // Another has been quicker: for permits whoever gives them back tells, for rates nobody else does.
      if (await lookAgain()) continue;
      if (spec.rates ?? deps.views?.cell(lane, 0)?.rateShare) await wakeLane(deps, lane, deps.clock.now());
      // Or the type has become one that is waited for, and there is no time for it.
      return isAuto(spec) && !(await hasTime(deps, options, spec)) ? 'late' : 'left';
    }
    return 'late';
  } finally {
    await slots.idle();
  }
}

/** Whether another round may begin: with `wait` an attempt must fit into it. */
async function hasTime(deps: DispatchDeps, { deadline }: ProcessOptions, spec: TaskTypeSpec): Promise<boolean> {
  const mode = await modeOf(deps, spec);
  return deps.clock.now() + Math.max(ROUND_MS, mode === 'wait' ? runMs(spec, mode) + MARGIN_MS : 0) < deadline;
}

/** Claims of its own may wait for a slot where its attempts are waited for, and nothing but permits limits them. */
async function aheadIn(deps: DispatchDeps, lane: Lane, spec: TaskTypeSpec, options: ProcessOptions): Promise<Ahead | undefined> {
  const rules = laneRules(spec);
  const { clock, views } = deps;
  if (!views || rules.divided || rules.rates || (await modeOf(deps, spec)) !== 'wait') return undefined;
  return createAhead({ clock, views }, lane, rules, () => clock.now() + runMs(spec, 'wait') + MARGIN_MS < options.deadline);
}

interface Next {
  readonly works: readonly Work[];
  /** Permits that each cell may be asked for, some of them beyond its limit. */
  readonly most?: ((cell: number) => number) | undefined;
  /** Nothing could start, but something waits for what may come at any time: permits of its own, or budget. */
  readonly waits: boolean;
  /** Until when somebody looks at the lane, ms. */
  readonly attendedUntil: number;
}

const NOTHING: Next = { works: [], waits: false, attendedUntil: 0 };

/** What the lane is to start next: nothing where it is full, or nothing waits. */
async function nextOf(
  deps: DispatchDeps,
  lane: Lane,
  spec: TaskTypeSpec,
  options: ProcessOptions,
  slots: Slots,
  ahead: Ahead | undefined,
): Promise<Next> {
  const rules = laneRules(spec);
  const cells = await readLane(deps, lane, rules);
  const now = deps.clock.now();
  const attendedUntil = Math.max(...cells.map((cell) => cell.attendedUntil ?? 0));
  const own = cells.reduce((sum, cell, i) => sum + roomIn(rules, i, cell, now), 0);
  const enters = own === 0 && mayEnter(rules, cells[0]);
  const asked = askedOf(ahead, cells);
  const { room: free, full } = enters ? await roomToEnter(deps, lane, rules) : { room: asked ? sum(asked) : own, full: false };
  const { allowed: room } = ratesOf(rules, cells[0], Math.min(free, AT_ONCE), now);
  if (room === 0) {
    await expireFull(deps, lane, options, slots);
    if (!cells.some(isWaiting)) return NOTHING;
    if (rules.divided && (free === 0 || cells[0]?.rateShare)) await tellControl(deps, options.noted, lane);
    if (full) await lineUp(deps, lane, rules);
    const at = goesOnAt(rules, cells[0], now);
    if (at !== undefined) await wakeLane(deps, lane, at, cells[0]);
    // While it seems to wait it has a part of its resources' rates, which others could use.
    if (at !== undefined && at - now > LONG_MS && cells[0]?.rateShare) await clearEmpty(deps, lane, cells);
    return { works: [], waits: at === undefined && !enters, attendedUntil };
  }
  const budget = cells.reduce((sum, cell) => sum + retriesLeft(cell, spec.retryBudget ?? DEFAULT_BUDGET, cells.length, now), 0);
  const turn = cells.reduce((sum, { turns = 0 }) => sum + turns, 0);
  const round = { turn, room, now, bounds: spec.starvation ?? DEFAULT_BOUNDS };
  const rooms = { permits: room, budget: cells.some(hasRetries) ? Math.min(room, budget) : 0 };
  const { works, empty } = await candidates(deps, lane, round, rooms, waitsOf(cells));
  await clearFlags(deps, lane, cells, empty);
  const waits = placesOf(cells).some((place) => !empty.includes(place));
  // What leaves room for classes above it takes none beyond the limit: they would find it full.
  if (asked && !works.every((work) => mayFill(work, rules, cells, now))) return { works: works.slice(0, own), waits, attendedUntil };
  return { works, waits, attendedUntil, most: asked && ((cell) => asked[cell] ?? 0) };
}

/** What each cell may be asked for, with what may be claimed ahead. */
function askedOf(ahead: Ahead | undefined, cells: readonly Cell[]): readonly number[] | undefined {
  const asked = cells.map((cell, index) => ahead?.most(index, cell));
  return asked.every((each) => each !== undefined) ? asked : undefined;
}

/** Whether a hint may fill the limit, in any cell. */
function mayFill({ task: { priority }, own = false }: Work, rules: LaneRules, cells: readonly Cell[], now: number): boolean {
  return cells.every((cell, index) => {
    const limit = cellLimit(rules, index, cell);
    return limitForOne(cell, limit, { priority, fresh: false, own }, now) === limit;
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

/** Takes down the flags of places with nothing in them. */
async function clearEmpty(deps: DispatchDeps, lane: Lane, cells: readonly Cell[]): Promise<void> {
  const places = placesOf(cells);
  const found = await Promise.all(places.map((place) => deps.backlog.first(lane, 1, place)));
  await clearFlags(
    deps,
    lane,
    cells,
    places.filter((_, i) => found[i]?.length === 0),
  );
}

/** Behind a breaker that lets nothing pass, or a full lane, tasks still expire, without a permit. @returns whether any did */
async function expireHeld(deps: DispatchDeps, lane: Lane, slots: Slots): Promise<boolean> {
  const now = deps.clock.now();
  const held = (await deps.backlog.first(lane, HELD_LOOKED_AT)).map(workOf(lane, 'permits'));
  const expired = held.filter((work) => mayExpire(work.task, now) && !slots.holds(work));
  return expired.length > 0 && (await slots.start(expired));
}

/** A retry has started before, and does not expire. */
function mayExpire(task: HintedTask, now: number): boolean {
  return isPast(task, now) && task.again !== 'retry';
}

/** The same for a lane that is full, for which hints come with every permit that is given back: not each time. */
async function expireFull(deps: DispatchDeps, lane: Lane, options: ProcessOptions, slots: Slots): Promise<void> {
  const key = `${laneKey(lane)}#full`;
  const now = deps.clock.now();
  if (now - (options.noted.get(key) ?? -Infinity) < FULL_LOOK_MS) return;
  options.noted.set(key, now);
  await expireHeld(deps, lane, slots);
}

/** The places in which something waits, as the flags say. */
function placesOf(cells: readonly Cell[]): readonly Place[] {
  return [...(cells.some(hasBacklog) ? ['permits' as const] : []), ...(cells.some(hasRetries) ? ['budget' as const] : [])];
}

function isWaiting(cell: Cell): boolean {
  return hasBacklog(cell) || hasRetries(cell);
}

/** Each cell knows what was put there while it was one of the lane's. */
function waitsOf(cells: readonly Cell[]): readonly Priority[] {
  return PRIORITIES.filter((priority) => cells.some(({ waits }) => waits?.includes(priority)));
}

/** The flags were read before a place was found empty: an item put since then has raised them higher. */
async function clearFlags(deps: DispatchDeps, lane: Lane, cells: readonly Cell[], empty: readonly Place[]): Promise<void> {
  const up = (cell: Cell): [number, Place][] => [
    ...(empty.includes('permits') && hasBacklog(cell) ? [[cell.raised, 'permits'] as [number, Place]] : []),
    ...(empty.includes('budget') && hasRetries(cell) ? [[cell.waiting?.raised ?? 0, 'budget'] as [number, Place]] : []),
  ];
  await Promise.all(cells.flatMap((cell, i) => up(cell).map(([version, place]) => deps.permits.clear(lane, i, version, place))));
}
