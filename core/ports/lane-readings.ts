import type { Priority } from '@sluice/contracts';
import type { BacklogSize } from './backlog-store.ts';
import type { Cell, Lane, Place } from './permit-store.ts';

/** One cell of a lane. */
export interface CellName {
  readonly lane: Lane;
  readonly cell: number;
}

/** How much waits in each place of a lane's backlog, by class. */
export type BacklogSizes = Readonly<Record<Place, Readonly<Record<Priority, BacklogSize>>>>;

/** Lanes for an operator's eyes: read without consistency and many at a time. Both throw when the answer is unknown. */
export interface LaneReadings {
  /** Cells in the order in which they are asked for; one that was never used is empty. */
  readonly cells: (cells: readonly CellName[]) => Promise<readonly Cell[]>;
  /** Counts up to about so many hints of each class and place, and finds the oldest of each, at a cost that is bounded by `atMost`. */
  readonly sizes: (lane: Lane, atMost: number) => Promise<BacklogSizes>;
}
