import type { AimdRules } from '../../../core/limits/aimd.ts';
import type { LaneRules as CoreRules } from '../../../core/limits/lane-rules.ts';
import { adaptCell, adaptFirst, tellsFirst } from '../../../core/permits/adapt.ts';
import { cellLimit, cellsInUse, type KnownCell } from '../../../core/permits/cells.ts';
import type { Cell as StoredCell } from '../../../core/ports/permit-store.ts';
import type { Chance } from '../engine/chance.ts';
import { TaskList } from '../engine/tasks.ts';
import type { World } from '../engine/world.ts';

/** A cell of a lane: how many permits it holds, and what it has learnt. */
export interface Cell {
  held: number;
  /** Of these, the permits of what waits for a slot. */
  ahead: number;
  known: KnownCell;
  /** Successes, ever, and ms for which they were held. */
  good: number;
  heldMs: number;
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
  /** ms: until then an invocation looks for room for its backlog. */
  attendedUntil: number;
}

/** What ended in a cell: successes, failures, and when what was throttled had been claimed. */
export interface CellEnds {
  succeeded: number;
  /** ms for which the successes were held, all together. */
  heldMs: number;
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
  readonly #chance: Chance;
  readonly #core: CoreRules;
  readonly #lanes = new Map<number, Lane>();

  constructor(world: World, rules: LaneRules) {
    this.#world = world;
    this.#core = { concurrency: rules.concurrency, ...(rules.adaptive && { aimd: rules.adaptive }) };
    this.#chance = world.chance('cells');
  }

  of(tenant: number): Lane {
    let lane = this.#lanes.get(tenant);
    if (!lane) {
      const { tasks } = this.#world;
      const waiting = [new TaskList(tasks), new TaskList(tasks), new TaskList(tasks)];
      lane = { tenant, cells: [], waiting, pressed: false, started: 0, turn: 0, seen: [-Infinity, -Infinity, -Infinity], attendedUntil: 0 };
      this.#lanes.set(tenant, lane);
    }
    return lane;
  }

  all(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** Says how much each cell of a lane may have at once. What is held in a cell that goes counts there. */
  share(lane: Lane, shares: readonly number[]): void {
    const most = Math.max(shares.length, lane.cells.length);
    for (let i = 0; i < most; i++) {
      const cell = this.cell(lane, i);
      cell.known = { ...cell.known, share: { share: shares[i] ?? 0, cells: shares.length, version: this.#world.now } };
    }
  }

  cell(lane: Lane, index: number): Cell {
    return (lane.cells[index] ??= { held: 0, ahead: 0, known: {}, good: 0, heldMs: 0 });
  }

  limit(lane: Lane): number {
    return this.limits(lane).reduce((sum, each) => sum + each, 0);
  }

  /** Of each cell in use. */
  limits(lane: Lane): readonly number[] {
    return Array.from({ length: this.#inUse(lane) }, (_, index) => this.#limitOf(lane, index));
  }

  #inUse(lane: Lane): number {
    return cellsInUse(this.#core, lane.cells[0]?.known);
  }

  /** Attempts at once that a cell may have. */
  #limitOf(lane: Lane, index: number): number {
    return cellLimit(this.#core, index, lane.cells[index]?.known);
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
    const cells = this.#inUse(lane);
    const start = this.#chance.below(cells);
    for (let n = 0; n < cells && taken.length < wanted; n++) {
      const index = (start + n) % cells;
      const cell = this.cell(lane, index);
      for (let room = most(this.#limitOf(lane, index)) - cell.held; room > 0 && taken.length < wanted; room--) {
        taken.push(index);
        cell.held += 1;
      }
    }
    return taken;
  }

  release(lane: Lane, index: number, { succeeded, heldMs, failed, throttled }: CellEnds): void {
    const cell = lane.cells[index]!;
    const flight = cell.held - cell.ahead;
    cell.held -= succeeded + failed + throttled.length;
    cell.good += succeeded;
    cell.heldMs += heldMs;
    const waiting = lane.waiting.some(({ size }) => size > 0);
    const first = this.cell(lane, 0);
    const ends = { throttled, good: cell.good, held: cell.heldMs, flight, waiting, ...(index > 0 && { base: first.known.aimd?.base }) };
    const next = adaptCell(this.#core, index, stored(cell), ends, this.#world.now);
    if (next) cell.known = { ...cell.known, ...next };
    if (!tellsFirst(this.#core, index, throttled, next)) return;
    const told = adaptFirst(this.#core, stored(first), { throttled, flight: first.held }, this.#world.now);
    if (told) first.known = { ...first.known, ...told };
  }
}

function stored({ known, good, heldMs }: Cell): StoredCell {
  return { permits: [], raised: 0, cleared: 0, good, held: heldMs, ...known };
}
