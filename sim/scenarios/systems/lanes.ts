import { adapt, type Aimd, type AimdRules, limitOf } from '../../../core/limits/aimd.ts';
import { cellLimits } from '../../../core/permits/cells.ts';
import type { Chance } from '../engine/chance.ts';
import { TaskList } from '../engine/tasks.ts';
import type { World } from '../engine/world.ts';

/** A cell of a lane: who holds its permits, and what it has learnt. */
export interface Cell {
  held: number;
  /** Attempts at once at most: what the lane may have, divided over its cells. */
  share: number;
  aimd: Aimd | undefined;
  /** Successes, ever. */
  good: number;
}

/** One tenant's work; a scenario has one task type. */
export interface Lane {
  readonly tenant: number;
  cells: Cell[];
  /** What waits for permits, by class. */
  readonly waiting: readonly TaskList[];
  /** It had a backlog once. */
  pressed: boolean;
  /** Starts, ever. */
  started: number;
  /** Starts out of the backlog, ever. */
  turn: number;
  /** ms: when a class was seen last. */
  readonly seen: number[];
  /** Draining goes on: how many invocations are at it. */
  draining: number;
}

/** What ended in a cell: successes, failures, and when what was throttled had been claimed. */
export interface CellEnds {
  succeeded: number;
  failed: number;
  readonly throttled: number[];
}

export interface LaneRules {
  /** Attempts at once of each lane. */
  readonly concurrency: number;
  /** AIMD of each cell. @default the limit is fixed */
  readonly adaptive?: AimdRules | undefined;
}

/** Lanes with their permits, limits and backlogs. */
export class Lanes {
  readonly #world: World;
  readonly #rules: LaneRules;
  readonly #chance: Chance;
  readonly #lanes = new Map<number, Lane>();

  constructor(world: World, rules: LaneRules) {
    this.#world = world;
    this.#rules = rules;
    this.#chance = world.chance('cells');
  }

  of(tenant: number): Lane {
    let lane = this.#lanes.get(tenant);
    if (!lane) {
      const { tasks } = this.#world;
      const waiting = [new TaskList(tasks), new TaskList(tasks), new TaskList(tasks)];
      lane = { tenant, cells: [], waiting, pressed: false, started: 0, turn: 0, seen: [-Infinity, -Infinity, -Infinity], draining: 0 };
      this.share(lane, this.#rules.concurrency);
      this.#lanes.set(tenant, lane);
    }
    return lane;
  }

  all(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** Says how much a lane may have at once; its cells are as many as hold that. What is held in a cell that goes counts there. */
  share(lane: Lane, share: number): void {
    const shares = cellLimits(share);
    shares.forEach((part, i) => {
      const cell = lane.cells[i];
      if (cell) cell.share = part;
      else lane.cells[i] = { held: 0, share: part, aimd: undefined, good: 0 };
    });
    for (const cell of lane.cells.slice(shares.length)) cell.share = 0;
  }

  /** Attempts at once that a cell may have. */
  limitOf({ aimd, share }: Cell): number {
    const { adaptive } = this.#rules;
    return adaptive ? Math.floor(limitOf(aimd, adaptive, share)) : share;
  }

  limit(lane: Lane): number {
    return lane.cells.reduce((sum, cell) => sum + this.limitOf(cell), 0);
  }

  held(lane: Lane): number {
    return lane.cells.reduce((sum, { held }) => sum + held, 0);
  }

  /**
   * Takes permits as far as there is room, cell by cell from one by chance on.
   * @param most what a cell of that limit may hold for them
   * @returns the cell of each permit
   */
  acquire(lane: Lane, wanted: number, most: (limit: number) => number): number[] {
    const taken: number[] = [];
    const { cells } = lane;
    const start = this.#chance.below(cells.length);
    for (let n = 0; n < cells.length && taken.length < wanted; n++) {
      const index = (start + n) % cells.length;
      const cell = cells[index]!;
      for (let room = most(this.limitOf(cell)) - cell.held; room > 0 && taken.length < wanted; room--) {
        taken.push(index);
        cell.held += 1;
      }
    }
    return taken;
  }

  release(lane: Lane, index: number, { succeeded, failed, throttled }: CellEnds): void {
    const cell = lane.cells[index]!;
    const flight = cell.held;
    cell.held -= succeeded + failed + throttled.length;
    cell.good += succeeded;
    const { adaptive } = this.#rules;
    if (!adaptive) return;
    const next = adapt(cell.aimd, { throttled, good: cell.good, flight }, adaptive, cell.share, this.#world.now);
    if (next) cell.aimd = next;
  }
}
