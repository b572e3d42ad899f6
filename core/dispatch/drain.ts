import { PRIORITIES, type HintedTask } from '@sluice/contracts';
import { gateOf } from '../breakers/gate.ts';
import { isPast } from '../hints/decide.ts';
import { laneRules } from '../limits/lane-rules.ts';
import { hasBacklog, hasRetries, ratesOf, retriesLeft, roomIn } from '../permits/cells.ts';
import { readLane } from '../permits/read-lane.ts';
import type { Cell, Lane, Place } from '../ports/permit-store.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { processWorks, type ProcessOptions } from './process.ts';
import { hintLater } from './look.ts';
import { wakeLane } from './wake.ts';
import { STAY, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** Items of the backlog that are taken in one go. */
const AT_ONCE = 50;
/** Items that are looked at for what has expired behind a breaker or a full lane. */
const HELD_LOOKED_AT = 500;
/** ms between two looks of an environment at a full lane. */
const FULL_LOOK_MS = 20_000;
/** Time that one more round needs at least, ms. */
const ROUND_MS = 5_000;

/** Works off a lane's backlog while there are permits and time. What it leaves, the next release or the minute goes on with. */
export async function drainLane(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<void> {
  const spec = await deps.types.get(lane.type);
  if (!spec) return;
  const rules = laneRules(spec);
  while (deps.clock.now() + ROUND_MS < options.deadline) {
    if ((await gateOf(deps, lane.type)) === 'shut') return void (await expireHeld(deps, lane, options));
    const cells = await readLane(deps, lane, rules);
    const now = deps.clock.now();
    const free = cells.reduce((sum, cell, i) => sum + roomIn(rules, i, cell, now), 0);
    if (free === 0) return expireFull(deps, lane, options);
    const { allowed: room, nextAt } = ratesOf(rules, cells[0], Math.min(free, AT_ONCE), now);
    if (room === 0) return cells.some(isWaiting) ? wakeLane(deps, lane, nextAt) : undefined;
    const budget = cells.reduce((sum, cell) => sum + retriesLeft(cell, spec.retryBudget ?? DEFAULT_BUDGET, cells.length, now), 0);
    const [ready, retries] = await Promise.all([
      deps.backlog.first(lane, room),
      cells.some(hasRetries) && budget > 0 ? deps.backlog.first(lane, Math.min(room, budget), 'budget') : undefined,
    ]);
    await clearFlags(deps, lane, cells, ready, retries);
    const works = [...ready.map(workOf(lane, 'permits')), ...(retries ?? []).map(workOf(lane, 'budget'))]
      .sort(byClassAndTime)
      .slice(0, room);
    if (works.length === 0) return;
    // Where one is past its time, many are: they go many at a time, and the permits to what may still start.
    const swept = works.some(({ task }) => mayExpire(task, now)) && (await expireHeld(deps, lane, options));
    if (swept || (await workOff(deps, lane, works, options))) continue;
    // Another has been quicker: for permits whoever gives them back tells, for rates nobody else does.
    return rules.rates && wakeLane(deps, lane, deps.clock.now());
  }
}

function isWaiting(cell: Cell): boolean {
  return hasBacklog(cell) || hasRetries(cell);
}

/** @returns whether anything came of it. */
async function workOff(deps: DispatchDeps, lane: Lane, works: readonly Work[], options: ProcessOptions): Promise<boolean> {
  const ends = await processWorks(deps, works, options);
  const gone = await Promise.all(works.map((work, i) => mayGo(deps, work, ends[i] ?? STAY)));
  const done = works.filter((_, i) => gone[i]);
  for (const place of ['permits', 'budget'] as const) {
    const tasks = done.flatMap((work) => (work.place === place ? [work.task] : []));
    if (tasks.length > 0) await deps.backlog.remove(lane, tasks, place);
  }
  return done.length > 0;
}

/** Behind a breaker that lets nothing pass, or a full lane, tasks still expire, without a permit. @returns whether any did */
async function expireHeld(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<boolean> {
  const now = deps.clock.now();
  const held = await deps.backlog.first(lane, HELD_LOOKED_AT);
  const expired = held.filter((task) => mayExpire(task, now)).map(workOf(lane, 'permits'));
  return expired.length > 0 && (await workOff(deps, lane, expired, options));
}

/** A retry has started before, and does not expire. */
function mayExpire(task: HintedTask, now: number): boolean {
  return isPast(task, now) && task.again !== 'retry';
}

/** The same for a lane that is full, for which hints come with every permit that is given back: not each time. */
async function expireFull(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<void> {
  const key = `${lane.tenant}#${lane.type}#full`;
  const now = deps.clock.now();
  if (now - (options.noted.get(key) ?? -Infinity) < FULL_LOOK_MS) return;
  options.noted.set(key, now);
  await expireHeld(deps, lane, options);
}

/** What waits for budget is looked at first: one that was cancelled takes none. */
function workOf({ tenant }: Lane, place: Place) {
  return (task: HintedTask): Work => ({ tenant, task, source: 'backlog', place, blind: place !== 'budget' });
}

function byClassAndTime({ task: a }: Work, { task: b }: Work): number {
  return PRIORITIES.indexOf(a.priority) - PRIORITIES.indexOf(b.priority) || a.at - b.at;
}

/** The flags were read before a place was found empty: an item put since then has raised them higher. */
async function clearFlags(
  deps: DispatchDeps,
  lane: Lane,
  cells: readonly Cell[],
  ready: readonly HintedTask[],
  retries: readonly HintedTask[] | undefined,
): Promise<void> {
  const up = (cell: Cell): [number, Place][] => [
    ...(ready.length === 0 && hasBacklog(cell) ? [[cell.raised, 'permits'] as [number, Place]] : []),
    ...(retries?.length === 0 && hasRetries(cell) ? [[cell.waiting?.raised ?? 0, 'budget'] as [number, Place]] : []),
  ];
  await Promise.all(cells.flatMap((cell, i) => up(cell).map(([version, place]) => deps.permits.clear(lane, i, version, place))));
}

/** What is to be looked at again for another reason than a full lane becomes a message: its lane does not wait behind it. */
async function mayGo(deps: DispatchDeps, work: Work, end: WorkEnd): Promise<boolean> {
  if (end.hint === 'done') return true;
  return end.full !== true && (await hintLater(deps, work, end.seconds * 1000)).hint === 'done';
}
