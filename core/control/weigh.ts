import { isSmall } from '../limits/entry.ts';
import { sumOf, type Standing } from './targets.ts';
import { leastOf } from './world.ts';

/** A lane that has had next to no work for so long gives up its share, ms. */
const IDLE_MS = 120_000;

/** What is seen of a lane. */
export interface LaneUse {
  /** Attempts at once of each of its cells. */
  readonly shares: readonly number[];
  /** Permits that it holds, of its own and of the entry pool. */
  readonly held: number;
  readonly entered: number;
  /** Hints in its backlog that could start, were there room. */
  readonly waiting: number;
  /** What it may use at most, were there nobody else. */
  readonly cap: number;
  /** Control was told of it, or it has a backlog. */
  readonly heard: boolean;
  /** Since when it has had next to no work, ms. */
  readonly idleSince?: number;
}

/** What a lane could use, and whether that is so little that it has no share of its own. Pure. */
export function weigh(
  { pools, capacities }: Pick<Standing, 'pools' | 'capacities'>,
  { shares, held, entered, waiting, cap, heard, idleSince }: LaneUse,
  now: number,
): Pick<Standing, 'small' | 'rests' | 'demand' | 'cap'> {
  const wanted = Math.min(cap, held + entered + waiting);
  const hasShare = sumOf(shares) > 0;
  // It has just ended: it keeps what it has for a while.
  const lingers = hasShare && (idleSince === undefined || now - idleSince < IDLE_MS);
  const small = pools && !lingers && isSmall(wanted, leastOf(capacities), hasShare);
  // What it holds in the entry pool counts there, and for its concurrency too, until it is given back.
  const own = small ? wanted : Math.max(0, wanted - entered);
  const demand = wanted === 0 && (lingers || (heard && !pools)) ? 1 : own;
  const rests = pools ? isSmall(wanted, leastOf(capacities), true) : held === 0 && demand <= 1;
  return { small, rests, demand, cap: demand === 0 ? 0 : Math.max(demand, cap - entered) };
}
