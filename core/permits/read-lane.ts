import type { LaneRules } from '../limits/lane-rules.ts';
import type { Cell, Lane, PermitStore, Place } from '../ports/permit-store.ts';
import { cellsInUse } from './cells.ts';
import type { LaneViews } from './views.ts';

export interface ReadLaneDeps {
  readonly permits: PermitStore;
  /** @default nothing is remembered of lanes */
  readonly views?: LaneViews;
}

/** Reads the cells of a lane that are in use, the first one before the others. */
export function readLane(deps: ReadLaneDeps, lane: Lane, rules: LaneRules): Promise<readonly Cell[]> {
  return inCells(deps, lane, rules, (cell) => deps.permits.read(lane, cell));
}

/** Raises a flag in the cells of a lane that are in use. */
export function raiseFlags(deps: ReadLaneDeps, lane: Lane, rules: LaneRules, place: Place): Promise<readonly Cell[]> {
  return inCells(deps, lane, rules, (cell) => deps.permits.raise(lane, cell, place));
}

/** As many as are remembered at once, and then those that the first one has told of. */
async function inCells(
  { views }: ReadLaneDeps,
  lane: Lane,
  rules: LaneRules,
  call: (cell: number) => Promise<Cell>,
): Promise<readonly Cell[]> {
  const remembered = cellsInUse(rules, views?.first(lane));
  const cells: Cell[] = [];
  for (let wanted = remembered; cells.length < wanted; wanted = cellsInUse(rules, cells[0])) {
    const more = Array.from({ length: wanted - cells.length }, (_, n) => cells.length + n);
    cells.push(...(await Promise.all(more.map(call))));
  }
  cells.forEach((cell, index) => views?.see(lane, index, cell));
  return cells;
}
