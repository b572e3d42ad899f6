import { askable, isShort, meanWith } from '../../../core/permits/ahead.ts';
import type { Chance } from '../engine/chance.ts';
import type { World } from '../engine/world.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Cell, Lane, Lanes } from './lanes.ts';

const { passMs } = PARAMETERS;

/** What a pool has in a cell. Those that are throttled have their slot until they are settled. */
interface Own {
  slots: number;
  /** Ended, their permits not yet given back. */
  over: number;
  /** Claimed beyond the limit, and when the claim is made. */
  readonly line: { readonly task: number; readonly at: number }[];
}

/** The pool of `wait` as core/dispatch/ahead.ts has it, one for each lane: who of what it has claimed may run. */
export class AheadSlots {
  readonly #world: World;
  readonly #lanes: Lanes;
  readonly #begin: (at: number, task: number) => void;
  readonly #undo: (lane: Lane, cell: number, task: number) => void;
  readonly #chance: Chance;
  readonly #owns = new Map<Cell, Own>();
  readonly #means = new Map<Lane, number>();
  /** Tasks of the pool. */
  readonly #tasks = new Set<number>();

  constructor(
    world: World,
    lanes: Lanes,
    begin: (at: number, task: number) => void,
    undo: (lane: Lane, cell: number, task: number) => void,
  ) {
    this.#world = world;
    this.#lanes = lanes;
    this.#begin = begin;
    this.#undo = undo;
    this.#chance = world.chance('ahead');
  }

  /** Permits that each cell of a lane may be asked for. */
  asked(lane: Lane): number[] {
    const goesAhead = isShort(this.#means.get(lane));
    return this.#lanes.limits(lane).map((limit, index) => {
      const cell = this.#lanes.cell(lane, index);
      if (!goesAhead) return Math.max(0, limit - cell.held);
      const own = this.#of(cell);
      return askable({ limit, held: cell.held, others: this.#others(cell, own), slots: own.slots, waiting: cell.ahead });
    });
  }

  /** Takes a permit for a task, of any cell that may be asked. @returns whether there was one */
  take(lane: Lane, task: number, asked: number[], at: number): boolean {
    const start = this.#chance.below(asked.length);
    const index = asked.map((_, n) => (start + n) % asked.length).find((n) => asked[n]! > 0);
    if (index === undefined) return false;
    asked[index]! -= 1;
    const cell = this.#lanes.cell(lane, index);
    cell.held += 1;
    cell.ahead += 1;
    this.#tasks.add(task);
    this.#world.tasks.place[task] = index;
    this.#of(cell).line.push({ task, at });
    this.#makeSlots(lane, index);
    return true;
  }

  /** An attempt has ended: where it was not throttled, the next one has its slot. */
  ended(lane: Lane, task: number, throttled: boolean): void {
    if (!this.#tasks.has(task) || throttled) return;
    const { tasks, now } = this.#world;
    const index = tasks.place[task]!;
    const cell = this.#lanes.cell(lane, index);
    const own = this.#of(cell);
    this.#means.set(lane, meanWith(this.#means.get(lane), now - tasks.claimed[task]!));
    if (own.line.length > 0 && this.#others(cell, own) + own.slots <= this.#lanes.limits(lane)[index]!) this.#give(cell, own, passMs);
    own.slots -= 1;
    own.over += 1;
  }

  /** A permit is about to be given back. */
  settled(lane: Lane, task: number, throttled: boolean): void {
    if (!this.#tasks.delete(task)) return;
    const own = this.#of(this.#lanes.cell(lane, this.#world.tasks.place[task]!));
    if (throttled) own.slots -= 1;
    else own.over -= 1;
  }

  /** Permits have been given back. */
  goOn(lane: Lane, index: number): void {
    const cell = this.#lanes.cell(lane, index);
    const own = this.#of(cell);
    this.#makeSlots(lane, index);
    // Nobody passes a slot on to them.
    while (own.slots === 0 && own.line.length > 0) {
      const { task } = own.line.shift()!;
      cell.ahead -= 1;
      this.#tasks.delete(task);
      this.#undo(lane, index, task);
    }
  }

  #of(cell: Cell): Own {
    let own = this.#owns.get(cell);
    if (!own) this.#owns.set(cell, (own = { slots: 0, over: 0, line: [] }));
    return own;
  }

  #others(cell: Cell, { slots, over }: Own): number {
    return cell.held - cell.ahead - slots - over;
  }

  #makeSlots(lane: Lane, index: number): void {
    const cell = this.#lanes.cell(lane, index);
    const own = this.#of(cell);
    const limit = this.#lanes.limits(lane)[index] ?? 0;
    while (own.line.length > 0 && this.#others(cell, own) + own.slots + 1 <= limit) this.#give(cell, own, 0);
  }

  #give(cell: Cell, own: Own, ms: number): void {
    const { task, at } = own.line.shift()!;
    const { now, tasks } = this.#world;
    cell.ahead -= 1;
    own.slots += 1;
    const startsAt = Math.max(now + ms, at);
    // A claim that has waited counts from its start.
    tasks.claimed[task] = at > now ? now : startsAt;
    this.#begin(startsAt, task);
  }
}
