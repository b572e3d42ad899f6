import type { LaneRules } from '../limits/lane-rules.ts';
import type { Cell, Lane, PermitStore } from '../ports/permit-store.ts';
import { adaptCell, adaptFirst, tellsFirst, type Adapted } from './adapt.ts';
import { cellsInUse, hasBacklog, livePermits } from './cells.ts';
import type { PermitReturns, Tune } from './release.ts';

/** Writers of a cell's limit that one gives way to; after that the ends of other attempts say the same. */
const MAX_TRIES = 3;

/**
 * Changes the limit of a cell where the ends of attempts ask for it: a write of its own, but a rare one. Best effort: the
 * permits are given back.
 */
export const tuneLimit: Tune = async (deps, { lane, cell: index, after, rules, ends, released }) => {
  const { permits, views } = deps;
  if (!mayTune(permits)) return after;
  const throttled = ends.flatMap((end) => (end.throttled ? [end.claimedAt] : []));
  // As remembered: it costs nothing, and without it a cell knows less.
  const base = index > 0 ? views?.cell(lane, 0)?.aimd?.base : undefined;
  const tuned = await tuneCell({ ...deps, permits }, { lane, index, rules }, after, (seen, now) => {
    const flight = livePermits(seen, now).length + released - (deps.waitingIn?.(lane, index) ?? 0);
    const waiting = hasBacklog(seen) || seen.line !== undefined;
    return adaptCell(rules, index, seen, { throttled, good: seen.good ?? 0, held: seen.held ?? 0, flight, waiting, base }, now);
  });
  if (tellsFirst(rules, index, throttled, tuned.change)) await tellFirst({ ...deps, permits }, lane, rules, throttled);
  return tuned.cell;
};

type TuneDeps = Parameters<Tune>[0] & { readonly permits: Pick<PermitStore, 'adapt' | 'raise'> };

interface Tuned {
  readonly cell: Cell;
  /** What was changed of it, if anything. */
  readonly change?: Adapted | undefined;
}

async function tuneCell(
  { permits, telemetry, clock }: TuneDeps,
  { lane, index, rules }: { readonly lane: Lane; readonly index: number; readonly rules: LaneRules },
  after: Cell,
  decide: (seen: Cell, now: number) => Adapted | undefined,
): Promise<Tuned> {
  let seen = after;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const change = decide(seen, clock.now());
    if (!change) return { cell: seen };
    try {
      const { adapted, cell } = await permits.adapt(lane, index, change.aimd, seen, change.cells);
      if (adapted) {
        await raiseInNew(permits, lane, cellsInUse(rules, seen), change.cells ?? 0, cell);
        return { cell, change };
      }
      seen = cell;
    } catch (error) {
      telemetry.log('warn', 'a limit could not be changed', { ...lane, cell: index, error });
      return { cell: seen };
    }
  }
  return { cell: seen };
}

/** A read, and a write where the first cell does not know yet that events get too old. */
async function tellFirst(deps: TuneDeps, lane: Lane, rules: LaneRules, throttled: readonly number[]): Promise<void> {
  if (!deps.permits.read) return;
  try {
    const first = await deps.permits.read(lane, 0);
    const told = await tuneCell(deps, { lane, index: 0, rules }, first, (seen, now) =>
      adaptFirst(rules, seen, { throttled, flight: livePermits(seen, now).length }, now),
    );
    deps.views?.see(lane, 0, told.cell);
  } catch (error) {
    deps.telemetry.log('warn', 'the first cell could not be told', { ...lane, error });
  }
}

function mayTune(permits: PermitReturns): permits is PermitReturns & Pick<PermitStore, 'adapt' | 'raise'> {
  return permits.adapt !== undefined && permits.raise !== undefined;
}

/** So that what is given back there tells the lane's backlog, too. */
async function raiseInNew(permits: Pick<PermitStore, 'raise'>, lane: Lane, before: number, cells: number, first: Cell): Promise<void> {
  if (!hasBacklog(first)) return;
  for (let cell = before; cell < cells; cell++) await permits.raise(lane, cell, 'permits', first.waits);
}
