import { PRIORITIES, type Priority } from '@sluice/contracts';
import { gateOf } from '../breakers/gate.ts';
import { cellLimits, hasBacklog, hasRetries, livePermits, retriesLeft } from '../permits/cells.ts';
import type { Cell, Lane, Place } from '../ports/permit-store.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { DEFAULT_BOUNDS } from '../priority/turns.ts';
import { candidates, workOf } from './candidates.ts';
import { processWorks, type ProcessOptions } from './process.ts';
import { hintLater } from './look.ts';
import { STAY, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** Items of the backlog that are taken in one go. */
const AT_ONCE = 50;
/** Items that are looked at for what has expired behind a breaker. */
const HELD_LOOKED_AT = 500;
/** Time that one more round needs at least, ms. */
const ROUND_MS = 5_000;

/** Works off a lane's backlog while there are permits and time. What it leaves, the next release or the minute goes on with. */
export async function drainLane(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<void> {
  const spec = await deps.types.get(lane.type);
  if (!spec) return;
  const limits = cellLimits(spec.concurrency);
  while (deps.clock.now() + ROUND_MS < options.deadline) {
    if ((await gateOf(deps, lane.type)) === 'shut') return expireHeld(deps, lane, options);
    const cells = await Promise.all(limits.map((_, cell) => deps.permits.read(lane, cell)));
    const now = deps.clock.now();
    const free = cells.reduce((sum, cell, i) => sum + Math.max(0, (limits[i] ?? 0) - livePermits(cell, now).length), 0);
    if (free === 0) return;
    const room = Math.min(free, AT_ONCE);
    const budget = cells.reduce((sum, cell) => sum + retriesLeft(cell, spec.retryBudget ?? DEFAULT_BUDGET, limits.length, now), 0);
    const turn = cells.reduce((sum, { turns = 0 }) => sum + turns, 0);
    const round = { turn, room, now, bounds: spec.starvation ?? DEFAULT_BOUNDS };
    const rooms = { permits: room, budget: cells.some(hasRetries) ? Math.min(room, budget) : 0 };
    const { works, empty } = await candidates(deps, lane, round, rooms, waitsOf(cells));
    await clearFlags(deps, lane, cells, empty);
    if (works.length === 0) return;
    if (!(await workOff(deps, lane, works, options))) return;
  }
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

/** Behind a breaker that lets nothing pass, tasks still expire: those that waited for a permit before it opened, too. */
async function expireHeld(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<void> {
  const now = deps.clock.now();
  const held = await deps.backlog.first(lane, HELD_LOOKED_AT);
  const expired = held.filter(({ expiresAt }) => expiresAt !== undefined && expiresAt <= now).map(workOf(lane, 'permits'));
  if (expired.length > 0) await workOff(deps, lane, expired, options);
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

/** What is to be looked at again for another reason than a full lane becomes a message: its lane does not wait behind it. */
async function mayGo(deps: DispatchDeps, work: Work, end: WorkEnd): Promise<boolean> {
  if (end.hint === 'done') return true;
  return end.full !== true && (await hintLater(deps, work, end.seconds * 1000)).hint === 'done';
}
