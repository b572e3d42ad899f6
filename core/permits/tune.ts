import type { Cell, Lane, PermitStore } from '../ports/permit-store.ts';
import { adaptCell } from './adapt.ts';
import { cellsInUse, hasBacklog, livePermits } from './cells.ts';
import type { PermitReturns, Tune } from './release.ts';

/** Writers of a cell's limit that one gives way to; after that the ends of other attempts say the same. */
const MAX_TRIES = 3;

/**
 * Changes the limit of a cell where the ends of attempts ask for it: a write of its own, but a rare one. Best effort: the
 * permits are given back.
 */
export const tuneLimit: Tune = async (deps, { lane, cell: index, after, rules, ends, released }) => {
  const { permits } = deps;
  if (!mayTune(permits)) return after;
  let seen = after;
  const throttled = ends.flatMap((end) => (end.throttled ? [end.claimedAt] : []));
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const now = deps.clock.now();
    const flight = livePermits(seen, now).length + released;
    const change = adaptCell(
      rules,
      index,
      seen,
      { throttled, good: seen.good ?? 0, held: seen.held ?? 0, flight, waiting: hasBacklog(seen) },
      now,
    );
    if (!change) return seen;
    try {
      const { adapted, cell } = await permits.adapt(lane, index, change.aimd, seen, change.cells);
      if (adapted) {
        await raiseInNew(permits, lane, cellsInUse(rules, seen), change.cells ?? 0, cell);
        return cell;
      }
      seen = cell;
    } catch (error) {
      deps.telemetry.log('warn', 'a limit could not be changed', { ...lane, cell: index, error });
      return seen;
    }
  }
  return seen;
};

function mayTune(permits: PermitReturns): permits is PermitReturns & Pick<PermitStore, 'adapt' | 'raise'> {
  return permits.adapt !== undefined && permits.raise !== undefined;
}

/** So that what is given back there tells the lane's backlog, too. */
async function raiseInNew(permits: Pick<PermitStore, 'raise'>, lane: Lane, before: number, cells: number, first: Cell): Promise<void> {
  if (!hasBacklog(first)) return;
  for (let cell = before; cell < cells; cell++) await permits.raise(lane, cell, 'permits', first.waits);
}
