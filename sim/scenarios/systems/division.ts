import { divide, type Claimant } from '../../../core/limits/divide.ts';
import { entryOf } from '../../../core/limits/entry.ts';
import type { World } from '../engine/world.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Lane, Lanes } from './lanes.ts';
import { nameOf } from './shard-queues.ts';
import type { PermitSource } from './sluice.ts';

const { control } = PARAMETERS;

/** The cell of a permit that is held in the entry pool. */
const ENTRY = -2;
/** Of the capacity, what a lane may have and wait for and still be small; and twice that may it have in the entry pool. */
const SMALL_PART = 0.05;
/** Standard deviations of a Poisson number that small lanes together get beyond what they have at the moment. */
const DEVIATIONS = 3;

function likely(demand: number): number {
  return Math.ceil(demand + DEVIATIONS * Math.sqrt(demand));
}

export interface DivisionRules {
  /** Attempts at once of all lanes together. */
  readonly capacity: number;
  readonly concurrency: number;
  readonly weightOf?: (tenant: number) => number;
  /**
   * `tenth`: the entry pool is a tenth of the capacity, and each lane with work gets a share. `pooled`: small lanes stay in
   * the entry pool, which is divided for as one claimant with the weight of all of them; a lane has a share of its own while
   * it wants more than a few at once, and no lane may have more than a tenth of the entry pool.
   */
  readonly entry: 'tenth' | 'pooled';
  /** ms after its last permit was given back that a lane keeps its share. */
  readonly idleMs: number;
}

/** A capacity that control divides among lanes, each minute and within seconds of news; lanes without a share draw on the entry pool. */
export class Division implements PermitSource {
  /** Permits that lanes without a share hold, and may hold. */
  readonly entry: { held: number; share: number };
  rounds = 0;
  /** Lanes without a share may go on. */
  onRoom?: () => void;
  readonly #world: World;
  readonly #rules: DivisionRules;
  readonly #lanes: Lanes;
  readonly #act: (at: number) => void;
  readonly #shares = new Map<Lane, number>();
  readonly #usedAt = new Map<Lane, number>();
  readonly #pooled: boolean;
  readonly #inEntry = new Map<Lane, number>();
  #told = false;
  #turn = 0;

  constructor(world: World, rules: DivisionRules, lanes: Lanes) {
    this.#world = world;
    this.#rules = rules;
    this.#lanes = lanes;
    const share = rules.entry === 'tenth' ? entryOf(rules.capacity) : rules.capacity;
    this.#pooled = rules.entry === 'pooled';
    this.entry = { held: 0, share };
    this.#act = world.on(() => {
      this.#told = false;
      this.#divide();
    });
    world.every(control.everyMs, () => this.#divide(), control.everyMs);
  }

  acquire(lane: Lane, wanted: number, most: (limit: number) => number): readonly number[] {
    this.#usedAt.set(lane, this.#world.now);
    const share = this.#shares.get(lane) ?? 0;
    if (share > 0) {
      const taken = this.#lanes.acquire(lane, wanted, most);
      if (taken.length < wanted) this.#tell();
      return taken;
    }
    const own = this.#inEntry.get(lane) ?? 0;
    const allowed = this.#pooled ? Math.max(1, 2 * SMALL_PART * this.#rules.capacity) : this.#rules.concurrency;
    const room = Math.max(0, Math.min(wanted, allowed - own, this.entry.share - this.entry.held));
    this.entry.held += room;
    this.#inEntry.set(lane, own + room);
    if (room < wanted) this.#tell();
    return Array.from({ length: room }, () => ENTRY);
  }

  release(lane: Lane, cell: number, ends: Parameters<PermitSource['release']>[2]): void {
    this.#usedAt.set(lane, this.#world.now);
    if (cell === ENTRY) {
      const ended = ends.succeeded + ends.failed + ends.throttled.length;
      this.entry.held -= ended;
      this.#inEntry.set(lane, (this.#inEntry.get(lane) ?? 0) - ended);
    } else this.#lanes.release(lane, cell, ends);
  }

  free(lane: Lane): number {
    const share = this.#shares.get(lane) ?? 0;
    return share > 0 ? this.#lanes.limit(lane) - this.#lanes.held(lane) : this.entry.share - this.entry.held;
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#act(this.#world.now + control.newsMs);
  }

  #divide(): void {
    this.rounds += 1;
    this.#turn += 1;
    const { capacity, concurrency, weightOf, idleMs } = this.#rules;
    const { now } = this.#world;
    const small = Math.max(1, SMALL_PART * capacity);
    const pool = { capacity: this.#pooled ? capacity : capacity - entryOf(capacity) };
    const active = [...this.#usedAt].flatMap(([lane, at]) => (now - at < idleMs || this.#demandOf(lane) > 0 ? [lane] : []));
    const lanes = this.#pooled ? active.filter((lane) => this.#demandOf(lane) > (this.#shares.has(lane) ? small / 2 : small)) : active;
    const claimants = lanes.map((lane): Claimant => ({
      key: nameOf(lane.tenant),
      weight: weightOf?.(lane.tenant) ?? 1,
      demand: Math.min(concurrency, this.#pooled ? likely(this.#demandOf(lane)) : this.#demandOf(lane)),
      cap: concurrency,
      pools: [pool],
    }));
    if (this.#pooled) claimants.push(this.#small(active, new Set(lanes), pool));
    const parts = divide(claimants, this.#turn);
    const shares = new Map(lanes.map((lane, i) => [lane, parts[i]?.share ?? 0]));
    for (const lane of this.#shares.keys()) if (!shares.has(lane)) shares.set(lane, 0);
    // Shrinks first; what is held above a share that shrank counts as taken until it is given back.
    let taken = this.entry.held;
    for (const [lane, share] of shares) taken += Math.max(this.#lanes.held(lane), Math.min(share, this.#shares.get(lane) ?? 0));
    for (const [lane, share] of shares) {
      const before = this.#shares.get(lane) ?? 0;
      const held = this.#lanes.held(lane);
      const raise = Math.min(share - before, Math.max(0, capacity - taken));
      const next = share <= before ? share : before + Math.max(0, raise);
      taken += Math.max(0, next - Math.max(held, before));
      this.#set(lane, next);
    }
    if (!this.#pooled) return;
    const given = [...this.#shares].reduce((sum, [lane, share]) => sum + Math.max(share, this.#lanes.held(lane)), 0);
    this.entry.share = Math.max(1, capacity - given);
    this.onRoom?.();
  }

  /** All lanes without a share, as one: as much as they have and wait for, and what chance adds to that. */
  #small(active: readonly Lane[], big: ReadonlySet<Lane>, pool: { capacity: number }): Claimant {
    const small = active.filter((lane) => !big.has(lane));
    const demand = small.reduce((sum, lane) => sum + this.#demandOf(lane), 0);
    const weight = small.reduce((sum, { tenant }) => sum + (this.#rules.weightOf?.(tenant) ?? 1), 0);
    const wanted = Math.max(entryOf(pool.capacity), likely(demand));
    return { key: '~', weight: Math.max(1, weight), demand: wanted, cap: pool.capacity, pools: [pool] };
  }

  #demandOf(lane: Lane): number {
    return this.#lanes.held(lane) + (this.#inEntry.get(lane) ?? 0) + lane.waiting.reduce((sum, { size }) => sum + size, 0);
  }

  #set(lane: Lane, share: number): void {
    if (share > 0) this.#shares.set(lane, share);
    else {
      this.#shares.delete(lane);
      if (this.#lanes.held(lane) === 0) this.#usedAt.delete(lane);
    }
    this.#lanes.share(lane, share);
  }
}
