import { hash32 } from '../routing/shuffle-shard.ts';

/** Something that several lanes draw on together: the capacity of a type or a resource, or a tenant's cap. */
export interface Pool {
  /** Attempts at once, of all its lanes together. */
  readonly capacity: number;
}

/** A lane that wants a part. */
export interface Claimant {
  /** Tells it from all others; ties and turns are decided by it, never by the order of the list. */
  readonly key: string;
  /** Above 0. @default 1 */
  readonly weight?: number;
  /** Attempts at once that it could use now. */
  readonly demand: number;
  /** What it may use at most, whatever is free. @default its demand */
  readonly cap?: number;
  /** What it gets as long as it needs it, before anybody gets more by weight. @default 0 */
  readonly guaranteed?: number;
  /** All that it draws on. */
  readonly pools: readonly Pool[];
}

/** A lane's part. */
export interface Part {
  /** What it must have: its part of what all need. */
  readonly needed: number;
  /** What it may have while the others need no more than they do: at least `needed`. */
  readonly share: number;
}

/**
 * Divides pools among lanes by weighted max-min fairness: no lane can get more but at the cost of one that has less, in
 * proportion to its weight. All parts rise together, each at the speed of its weight, until the lane needs no more or one
 * of its pools is used up (progressive filling, Bertsekas and Gallager, *Data Networks*, 1992, 6.5.2). Guarantees are
 * floors, under which a part never is while the lane needs it; those that are not needed are lent to the others, and where
 * they are more than a pool has they are cut in proportion. What nobody needs is then divided by the same rule up to each
 * lane's cap, so that a lane may grow without asking.
 *
 * Parts are whole, and of no pool is more given than it has. What rounding leaves is drawn for, at chances in proportion
 * to what rounding took; who wins changes with `turn` alone, so that small changes move little and each gets its turn.
 *
 * Takes O(n log n) for n lanes of a few pools each.
 *
 * @returns a part for each, in their order
 */
export function divide(claimants: readonly Claimant[], turn: number): readonly Part[] {
  const weights = claimants.map(({ weight = 1 }) => weight);
  const pools = claimants.map((claimant) => claimant.pools);
  const demands = claimants.map(({ demand }) => Math.max(0, demand));
  const none = demands.map(() => 0);
  const floors = demands.map((demand, i) => Math.min(demand, claimants[i]?.guaranteed ?? 0));
  // Guarantees fill at the speed of their size: where a pool can't hold them all, all are cut by the same factor.
  const guaranteed = fill({ floors: none, ceilings: floors, weights: floors.map((floor) => floor || 1), pools });
  const fair = fill({ floors: guaranteed, ceilings: demands, weights, pools });
  const needed = whole(fair, none, claimants, turn);
  const caps = demands.map((demand, i) => Math.max(demand, claimants[i]?.cap ?? demand));
  const shares = whole(fill({ floors: needed, ceilings: caps, weights, pools }), needed, claimants, turn);
  return claimants.map((_, i) => ({ needed: needed[i] ?? 0, share: shares[i] ?? 0 }));
}

interface Filling {
  /** Where each part begins. */
  readonly floors: readonly number[];
  /** Where it ends at the latest. */
  readonly ceilings: readonly number[];
  readonly weights: readonly number[];
  readonly pools: readonly (readonly Pool[])[];
}

interface PoolState {
  /** What parts that stand still take of it. */
  fixed: number;
  /** The weight of those that rise. */
  rising: number;
  readonly lanes: number[];
  /** The level of its entry in the queue that counts: never after the one at which it is full. */
  queued: number;
}

/** At a level of the water: a part begins to rise, has all that it wants, or a pool is used up. */
type Event = readonly [level: number, kind: 'rise' | 'stop', lane: number] | readonly [level: number, kind: 'full', pool: Pool];

const WAITS = 0;
const RISES = 1;
const STANDS = 2;

/**
 * Raises the level: the part of a lane is `weight · level`, but never under its floor nor above its ceiling, and stands
 * still once one of its pools is full. Pools that the floors alone overfill are full at once.
 */
function fill({ floors, ceilings, weights, pools }: Filling): number[] {
  const parts = [...floors];
  const state = floors.map(() => WAITS);
  const weightOf = (lane: number): number => weights[lane] ?? 1;
  const states = statesOf(floors, pools);
  const queue = new EventQueue();

  const eachPool = (lane: number, change: (of: PoolState, pool: Pool) => void): void => {
    for (const pool of pools[lane] ?? []) {
      const of = states.get(pool);
      if (of) change(of, pool);
    }
  };
  /** Only what rises later makes a pool full sooner. What stops is seen when its entry comes. */
  const queuePool = (of: PoolState, pool: Pool): void => {
    const level = fullAt(pool, of);
    if (level >= of.queued) return;
    of.queued = level;
    queue.push([level, 'full', pool]);
  };
  const stop = (lane: number, level: number): void => {
    if (state[lane] !== RISES) return;
    state[lane] = STANDS;
    const floor = floors[lane] ?? 0;
    parts[lane] = Math.max(floor, Math.min(ceilings[lane] ?? 0, weightOf(lane) * level));
    eachPool(lane, (of) => {
      of.fixed += parts[lane] ?? 0;
      of.rising = Math.max(0, of.rising - weightOf(lane));
    });
  };

  floors.forEach((floor, lane) => {
    if ((ceilings[lane] ?? 0) > floor) queue.push([floor / weightOf(lane), 'rise', lane]);
  });
  for (let event = queue.pop(); event; event = queue.pop()) {
    const [level, kind] = event;
    if (kind === 'full') {
      const [, , pool] = event;
      const of = states.get(pool);
      if (!of || of.queued !== level) continue;
      of.queued = Infinity;
      if (fullAt(pool, of) > level + NOTHING) queuePool(of, pool);
      else for (const lane of of.lanes.splice(0)) stop(lane, level);
      continue;
    }
    const [, , lane] = event;
    if (kind === 'stop') stop(lane, level);
    else if (state[lane] === WAITS && !(pools[lane] ?? []).some((pool) => isFull(pool, states.get(pool), level))) {
      state[lane] = RISES;
      eachPool(lane, (of, pool) => {
        of.fixed -= floors[lane] ?? 0;
        of.rising += weightOf(lane);
        of.lanes.push(lane);
        queuePool(of, pool);
      });
      queue.push([(ceilings[lane] ?? 0) / weightOf(lane), 'stop', lane]);
    }
  }
  return parts;
}

function statesOf(floors: readonly number[], pools: Filling['pools']): Map<Pool, PoolState> {
  const states = new Map<Pool, PoolState>();
  pools.forEach((own, lane) => {
    for (const pool of own) {
      const of = states.get(pool) ?? { fixed: 0, rising: 0, lanes: [], queued: Infinity };
      of.fixed += floors[lane] ?? 0;
      states.set(pool, of);
    }
  });
  return states;
}

/** Sums of fractions are not exact; less than this is nothing. */
const NOTHING = 1e-9;

/** The level at which a pool is used up, if what rises now goes on. */
function fullAt({ capacity }: Pool, { fixed, rising }: PoolState): number {
  return rising > NOTHING ? Math.max(0, (capacity - fixed) / rising) : Infinity;
}

function isFull({ capacity }: Pool, of: PoolState | undefined, level: number): boolean {
  return of !== undefined && capacity - of.fixed - of.rising * level <= NOTHING;
}

/** Whole parts that no pool is overdrawn by, none under its floor. */
function whole(parts: readonly number[], floors: readonly number[], claimants: readonly Claimant[], turn: number): number[] {
  const left = new Map<Pool, number>();
  const rounded = parts.map((part, i) => Math.max(floors[i] ?? 0, Math.floor(part + NOTHING)));
  claimants.forEach(({ pools }, i) => {
    for (const pool of pools) left.set(pool, (left.get(pool) ?? Math.floor(pool.capacity)) - (rounded[i] ?? 0));
  });
  const drawn = parts.flatMap((part, i) => {
    const fraction = part - (rounded[i] ?? 0);
    if (fraction <= NOTHING) return [];
    const key = claimants[i]?.key ?? '';
    // A weighted draw without replacement (Efraimidis and Spirakis 2006).
    return [{ i, key, luck: Math.log(drawOf(`${turn}#${key}`)) / fraction }];
  });
  drawn.sort((a, b) => b.luck - a.luck || (a.key < b.key ? -1 : 1));
  for (const { i } of drawn) {
    const pools = claimants[i]?.pools ?? [];
    if (!pools.every((pool) => (left.get(pool) ?? 0) >= 1)) continue;
    rounded[i] = (rounded[i] ?? 0) + 1;
    for (const pool of pools) left.set(pool, (left.get(pool) ?? 0) - 1);
  }
  return rounded;
}

/** A number in (0, 1] that a name stands for. */
function drawOf(name: string): number {
  return hash32(name) / 2 ** 32 + 2 ** -33;
}

/** Events, the lowest level first: a binary heap. */
class EventQueue {
  readonly #heap: Event[] = [];

  push(event: Event): void {
    const heap = this.#heap;
    let n = heap.push(event) - 1;
    while (n > 0) {
      const above = (n - 1) >> 1;
      if (!(event[0] < levelOf(heap[above]))) break;
      heap[n] = heap[above] ?? event;
      n = above;
    }
    heap[n] = event;
  }

  pop(): Event | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let n = 0;
    for (;;) {
      let below = 2 * n + 1;
      if (below >= heap.length) break;
      if (levelOf(heap[below + 1]) < levelOf(heap[below])) below += 1;
      if (!(levelOf(heap[below]) < last[0])) break;
      heap[n] = heap[below] ?? last;
      n = below;
    }
    heap[n] = last;
    return top;
  }
}

function levelOf(event: Event | undefined): number {
  return event?.[0] ?? Infinity;
}
