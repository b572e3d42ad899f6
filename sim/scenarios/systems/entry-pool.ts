import { entryOfLane } from '../../../core/limits/entry.ts';
import { PERMITS_PER_CELL } from '../../../core/permits/cells.ts';
import { entryPlaces, IN_LINE, yieldedOf, type EntryPlace } from '../../../core/permits/entry-places.ts';
import type { Chance } from '../engine/chance.ts';
import type { Lane } from './lanes.ts';
import { nameOf } from './shard-queues.ts';

interface EntryCell {
  share: number;
  held: number;
  readonly by: Map<Lane, number>;
  readonly line: Lane[];
}

/** The cells of an entry pool, as core/permits/entry.ts uses them. */
export class EntryPool {
  readonly cells: readonly EntryCell[];
  readonly #each: number;
  readonly #chance: Chance;
  readonly #places = new Map<Lane, readonly EntryPlace[]>();

  constructor(capacity: number, concurrency: number, chance: Chance) {
    this.#each = Math.min(concurrency, entryOfLane(capacity));
    this.#chance = chance;
    const cells = Math.max(1, Math.ceil(capacity / PERMITS_PER_CELL));
    this.cells = Array.from({ length: cells }, () => ({ share: 0, held: 0, by: new Map<Lane, number>(), line: [] }));
  }

  get shares(): readonly number[] {
    return this.cells.map(({ share }) => share);
  }

  get held(): readonly number[] {
    return this.cells.map(({ held }) => held);
  }

  /** Lanes that hold a permit. */
  get lanes(): number {
    return new Set(this.cells.flatMap(({ by }) => [...by.keys()])).size;
  }

  heldBy(lane: Lane): number {
    return this.#placesOf(lane).reduce((sum, { cell }) => sum + (this.cells[cell]!.by.get(lane) ?? 0), 0);
  }

  room(lane: Lane): number {
    return this.#placesOf(lane).reduce((sum, place) => sum + this.#roomAt(lane, place, 0).room, 0);
  }

  /** Puts a lane in line at a cell that it could have had more of, were there room. */
  lineUp(lane: Lane): void {
    const place = this.#placesOf(lane).find((each) => this.#roomAt(lane, each, 0).isFull);
    const line = place && this.cells[place.cell]!.line;
    if (line && line.length < IN_LINE && !line.includes(lane)) line.push(lane);
  }

  /** @returns the cell of each permit; a lane that could have had more, were there room, is in line for it */
  take(lane: Lane, wanted: number, fresh: boolean): readonly number[] {
    const places = this.#placesOf(lane);
    const start = this.#chance.below(places.length);
    const taken: number[] = [];
    let full: EntryCell | undefined;
    for (let n = 0; n < places.length && taken.length < wanted; n++) {
      const place = places[(start + n) % places.length]!;
      const cell = this.cells[place.cell]!;
      const yields = fresh && cell.line.length > 0 ? yieldedOf(cell.share) : 0;
      const { room, isFull } = this.#roomAt(lane, place, yields);
      const more = Math.min(room, wanted - taken.length);
      if (isFull) full = cell;
      if (more === 0) continue;
      cell.held += more;
      cell.by.set(lane, (cell.by.get(lane) ?? 0) + more);
      for (let i = 0; i < more; i++) taken.push(place.cell);
    }
    if (taken.length < wanted && full && full.line.length < IN_LINE && !full.line.includes(lane)) full.line.push(lane);
    return taken;
  }

  /** @returns the lanes that are told */
  release(lane: Lane, index: number, ended: number): readonly Lane[] {
    const cell = this.cells[index]!;
    cell.held -= ended;
    const own = (cell.by.get(lane) ?? 0) - ended;
    if (own > 0) cell.by.set(lane, own);
    else cell.by.delete(lane);
    return cell.line.splice(0, ended);
  }

  #placesOf(lane: Lane): readonly EntryPlace[] {
    let places = this.#places.get(lane);
    if (!places) this.#places.set(lane, (places = entryPlaces(nameOf(lane.tenant), this.cells.length, this.#each)));
    return places;
  }

  #roomAt(lane: Lane, { cell: index, most }: EntryPlace, yields: number): { room: number; isFull: boolean } {
    const cell = this.cells[index]!;
    const own = most - (cell.by.get(lane) ?? 0);
    const left = cell.share - yields - cell.held;
    return { room: Math.max(0, Math.min(own, left)), isFull: own > 0 && left <= 0 };
  }
}
