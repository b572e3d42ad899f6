import { cellLimits, hasBacklog, livePermits } from '../permits/cells.ts';
import type { Lane } from '../ports/permit-store.ts';
import { processWorks, type ProcessOptions } from './process.ts';
import { hintLater } from './look.ts';
import { STAY, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** Items of the backlog that are taken in one go. */
const AT_ONCE = 50;
/** Time that one more round needs at least, ms. */
const ROUND_MS = 5_000;

/** Works off a lane's backlog while there are permits and time. What it leaves, the next release or the minute goes on with. */
export async function drainLane(deps: DispatchDeps, lane: Lane, options: ProcessOptions): Promise<void> {
  const spec = await deps.types.get(lane.type);
  if (!spec) return;
  const limits = cellLimits(spec.concurrency);
  while (deps.clock.now() + ROUND_MS < options.deadline) {
    const cells = await Promise.all(limits.map((_, cell) => deps.permits.read(lane, cell)));
    const now = deps.clock.now();
    const free = cells.reduce((sum, cell, i) => sum + Math.max(0, (limits[i] ?? 0) - livePermits(cell, now).length), 0);
    if (free === 0) return;
    const tasks = await deps.backlog.first(lane, Math.min(free, AT_ONCE));
    if (tasks.length === 0) {
      // The flags were read before the backlog was found empty: an item put since then has raised them higher.
      await Promise.all(cells.flatMap((cell, i) => (hasBacklog(cell) ? [deps.permits.clear(lane, i, cell.raised)] : [])));
      return;
    }
    const works = tasks.map((task): Work => ({ tenant: lane.tenant, task, source: 'backlog', blind: true }));
    const ends = await processWorks(deps, works, options);
    const gone = await Promise.all(works.map((work, i) => mayGo(deps, work, ends[i] ?? STAY)));
    const done = works.filter((_, i) => gone[i]);
    if (done.length === 0) return;
    await deps.backlog.remove(
      lane,
      done.map((w) => w.task),
    );
  }
}

/** What is to be looked at again for another reason than a full lane becomes a message: its lane does not wait behind it. */
async function mayGo(deps: DispatchDeps, work: Work, end: WorkEnd): Promise<boolean> {
  if (end.hint === 'done') return true;
  return end.full !== true && (await hintLater(deps, work, end.seconds * 1000)).hint === 'done';
}
