import type { Clock } from '../ports/clock.ts';
import type { Cell, Lane } from '../ports/permit-store.ts';
import type { KnownCell } from './cells.ts';
import { laneKey } from './lane-key.ts';

/** Lanes that an environment remembers at most: it then forgets all, and the next answers tell them anew. */
const LANES = 1_000;
/** ms after which the number of a lane's cells is asked for anew, of the first cell: none of them is used for longer than it is wanted. */
const KNOWN_MS = 10_000;

/**
 * What one environment has last heard of lane cells, in its memory alone and free: every answer about permits tells it. It
 * says what to ask for; the cell itself decides.
 */
export interface LaneViews {
  readonly cell: (lane: Lane, index: number) => KnownCell | undefined;
  /** The first cell, where what it says of the others is fresh. */
  readonly first: (lane: Lane) => KnownCell | undefined;
  readonly see: (lane: Lane, index: number, cell: Cell) => void;
}

interface Seen {
  readonly cell: KnownCell;
  readonly at: number;
}

export function createLaneViews(clock: Clock): LaneViews {
  const lanes = new Map<string, Map<number, Seen>>();
  const seenOf = (lane: Lane, index: number): Seen | undefined => lanes.get(laneKey(lane))?.get(index);
  return {
    cell: (lane, index) => seenOf(lane, index)?.cell,
    first: (lane) => {
      const seen = seenOf(lane, 0);
      return seen && clock.now() - seen.at < KNOWN_MS ? seen.cell : undefined;
    },
    see: (lane, index, { share, aimd, cells, tats, rateShare }) => {
      const key = laneKey(lane);
      if (lanes.size >= LANES && !lanes.has(key)) lanes.clear();
      const known = lanes.get(key) ?? new Map<number, Seen>();
      lanes.set(key, known);
      const cell = {
        ...(share && { share }),
        ...(aimd && { aimd }),
        ...(cells !== undefined && { cells }),
        ...(tats && { tats }),
        ...(rateShare && { rateShare }),
      };
      known.set(index, { cell, at: clock.now() });
    },
  };
}
