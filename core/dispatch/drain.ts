import { cellLimits, hasBacklog, livePermits } from '../permits/cells.ts';
import type { Lane } from '../ports/permit-store.ts';
import { processWorks, type ProcessOptions } from './process.ts';
import type { DispatchDeps, Work } from './work.ts';

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
      await Promise.all(cells.map((cell, i) => (hasBacklog(cell) ? deps.permits.clear(lane, i, cell.raised) : undefined)));
      return;
    }
    const works = tasks.map((task): Work => ({ tenant: lane.tenant, task, source: 'backlog', blind: true }));
    const ends = await processWorks(deps, works, options);
    const done = works.filter((_, i) => ends[i]?.hint === 'done');
    if (done.length === 0) return;
    await deps.backlog.remove(lane, done.map((w) => w.task));
  }
}
