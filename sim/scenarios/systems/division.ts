import type { Quota } from '@sluice/contracts';
import { SOON_SECONDS } from '../../../core/control/divide-capacities.ts';
import { cellShares, ledgerOf, raises, shrinks } from '../../../core/control/moves.ts';
import { sumOf, takenBy, targetsOf, type Standing } from '../../../core/control/targets.ts';
import { toldToEnter } from '../../../core/control/told-to-enter.ts';
import { weigh } from '../../../core/control/weigh.ts';
import type { Capacity } from '../../../core/control/world.ts';
import { entryOf } from '../../../core/limits/entry.ts';
import { entryOfType } from '../../../core/permits/entry.ts';
import type { World } from '../engine/world.ts';
import { PARAMETERS } from '../parameters.ts';
import { EntryPool } from './entry-pool.ts';
import type { Lane, Lanes } from './lanes.ts';
import { nameOf } from './shard-queues.ts';
import type { PermitSource } from './sluice.ts';

const { control } = PARAMETERS;

/** Cells of permits that are held in the entry pool: below this, the first one -2. */
const ENTRY = -2;
const TYPE = 'task';
const TURN_MS = 60_000;

export interface DivisionRules {
  /** Attempts at once of all lanes together. */
  readonly capacity: number;
  readonly concurrency: number;
  /** What tenants may have who have a quota: weights and guarantees. */
  readonly quotas?: ReadonlyMap<number, Quota> | undefined;
}

/** A capacity that control divides among lanes, each minute and within seconds of news, by the decisions of core/control. */
export class Division implements PermitSource {
  rounds = 0;
  /** Is told of lanes that may go on. */
  onRoom?: (lane: Lane) => void;
  readonly #world: World;
  readonly #rules: DivisionRules;
  readonly #lanes: Lanes;
  readonly #pool: EntryPool;
  readonly #capacity: Capacity;
  /** By name. */
  readonly #quotas: ReadonlyMap<string, Quota>;
  readonly #act: (at: number) => void;
  readonly #again: (at: number) => void;
  /** Of lanes that have been granted something: shares of their cells. */
  readonly #shares = new Map<Lane, readonly number[]>();
  readonly #idleSince = new Map<Lane, number>();
  #heard = new Set<Lane>();
  #told = false;

  constructor(world: World, rules: DivisionRules, lanes: Lanes) {
    this.#world = world;
    this.#rules = rules;
    this.#lanes = lanes;
    const { capacity, concurrency, quotas = new Map<number, Quota>() } = rules;
    this.#quotas = new Map([...quotas].map(([tenant, quota]) => [nameOf(tenant), quota]));
    this.#pool = new EntryPool(capacity, concurrency, world.chance('entry pool'));
    this.#capacity = { whole: capacity, divided: { capacity: capacity - entryOf(capacity) } };
    this.#act = world.on(() => {
      this.#told = false;
      this.#divide();
    });
    this.#again = world.on(() => this.#divide(false));
    world.every(control.everyMs, () => this.#divide(), control.everyMs);
    this.#divide();
  }

  acquire(lane: Lane, wanted: number, most: (limit: number) => number, fresh: boolean): readonly number[] {
    const share = sumOf(this.#shares.get(lane) ?? []);
    const taken = share > 0 ? this.#lanes.acquire(lane, wanted, most) : this.#pool.take(lane, wanted, fresh).map((cell) => ENTRY - cell);
    if (taken.length < wanted) this.#tell(lane);
    return taken;
  }

  release(lane: Lane, cell: number, ends: Parameters<PermitSource['release']>[2]): void {
    if (cell > ENTRY) return this.#lanes.release(lane, cell, ends);
    const ended = ends.succeeded + ends.failed + ends.throttled.length;
    for (const called of this.#pool.release(lane, ENTRY - cell, ended)) this.onRoom?.(called);
  }

  free(lane: Lane): number {
    const share = sumOf(this.#shares.get(lane) ?? []);
    if (share > 0) return this.#lanes.limit(lane) - this.#lanes.held(lane);
    const room = this.#pool.room(lane);
    if (room === 0) this.#pool.lineUp(lane);
    return room;
  }

  #tell(lane: Lane): void {
    this.#heard.add(lane);
    if (this.#told) return;
    this.#told = true;
    this.#act(this.#world.now + control.newsMs);
  }

  /** One round, as core/control/divide-capacities.ts makes it. */
  #divide(isNews = true): void {
    this.rounds += 1;
    const { now } = this.#world;
    const turn = Math.floor(now / TURN_MS);
    const active = new Set([...this.#shares.keys(), ...this.#heard, ...this.#withBacklog()]);
    this.#heard = new Set();
    const lanes = new Map<Standing, Lane>([...active].map((lane) => [this.#standing(lane), lane]));
    const standings = [this.#entry(), ...lanes.keys()];
    const targets = targetsOf(standings, this.#quotas, turn);
    const lowered = new Map<Standing, Standing>();
    for (const { standing, to } of shrinks(targets)) {
      const shares = cellShares(to, standing);
      const now = { ...standing, shares: standing.shares.map((share, cell) => Math.min(share, shares[cell] ?? 0)) };
      lowered.set(standing, now);
      this.#set(now, lanes.get(standing));
    }
    const after = targets.map((target) => ({ ...target, standing: lowered.get(target.standing) ?? target.standing }));
    for (const [was, is] of lowered) {
      const lane = lanes.get(was);
      if (lane) lanes.set(is, lane);
    }
    const ledger = ledgerOf(after.map(({ standing }) => standing));
    for (const { standing, needed, share } of raises(after)) {
      const has = sumOf(standing.shares);
      const to = needed > has ? Math.min(share, has + ledger.room(standing.capacities)) : has;
      if (to === has) continue;
      const shares = cellShares(to, standing);
      ledger.take(standing.capacities, takenBy(shares, standing.held) - takenBy(standing.shares, standing.held));
      this.#set({ ...standing, shares }, lanes.get(standing));
      const lane = lanes.get(standing);
      if (lane && standing.demand > sumOf(standing.held)) this.onRoom?.(lane);
    }
    for (const { standing } of after) this.#noteRest(standing, lanes.get(standing));
    const byName = new Map([...lanes].map(([{ lane }, of]) => [lane.tenant, of]));
    for (const { tenant } of toldToEnter(after, turn)) {
      const lane = byName.get(tenant);
      if (lane) this.onRoom?.(lane);
    }
    // What was lowered for others is soon given on; what there is not enough of is looked at again, as news are.
    if (lowered.size > 0 && isNews) this.#again(now + SOON_SECONDS * 1000);
    else if (!this.#told && after.some(({ standing, needed }) => standing.demand > needed)) {
      this.#told = true;
      this.#act(now + control.newsMs);
    }
  }

  #withBacklog(): readonly Lane[] {
    return [...this.#lanes.all()].filter((lane) => waitingIn(lane) > 0);
  }

  #entry(): Standing {
    const pool = this.#pool;
    return {
      ...this.#common(),
      lane: entryOfType(TYPE),
      cells: pool.cells.length,
      weight: 1,
      pools: false,
      entry: entryOf(this.#rules.capacity),
      shares: pool.shares,
      held: pool.held,
      waits: 0,
      entered: pool.lanes,
      demand: 0,
      cap: this.#rules.capacity,
      small: false,
      rests: false,
    };
  }

  #standing(lane: Lane): Standing {
    const { weight = 1, guaranteed } = this.#quotas.get(nameOf(lane.tenant)) ?? {};
    // What is guaranteed something is never small.
    const common = { ...this.#common(), pools: guaranteed === undefined };
    const shares = this.#shares.get(lane) ?? [];
    const held = lane.cells.map((cell) => cell.held);
    const entered = this.#pool.heldBy(lane);
    const idleSince = this.#idleSince.get(lane);
    const use = { shares, held: sumOf(held), entered, waiting: waitingIn(lane), cap: this.#rules.concurrency, heard: true };
    return {
      ...common,
      lane: { tenant: nameOf(lane.tenant), type: TYPE },
      cells: 1,
      weight,
      shares,
      held,
      waits: waitingIn(lane),
      entered,
      ...weigh(common, { ...use, ...(idleSince !== undefined && { idleSince }) }, this.#world.now),
    };
  }

  #common(): Pick<Standing, 'concurrency' | 'closed' | 'capacities' | 'grant' | 'stale'> {
    return { concurrency: this.#rules.concurrency, closed: false, capacities: [this.#capacity], grant: undefined, stale: false };
  }

  #set({ shares }: Standing, lane: Lane | undefined): void {
    if (lane) {
      this.#shares.set(lane, shares);
      this.#lanes.share(lane, shares);
    } else this.#pool.cells.forEach((cell, n) => (cell.share = shares[n] ?? 0));
  }

  #noteRest({ rests, small, held, shares }: Standing, lane: Lane | undefined): void {
    if (!lane) return;
    if (sumOf(shares) + sumOf(held) === 0 && (small || rests)) this.#shares.delete(lane);
    if (rests) this.#idleSince.set(lane, this.#idleSince.get(lane) ?? this.#world.now);
    else this.#idleSince.delete(lane);
  }
}

function waitingIn({ waiting }: Lane): number {
  return waiting.reduce((sum, { size }) => sum + size, 0);
}
