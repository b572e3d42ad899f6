import { PRIORITIES, type Depths, type Priority } from '@sluice/contracts';

/** Messages that every queue counts as having more: queues that are short are all alike. */
const ALIKE = 10;
/** The power of a depth in the weight of its queue, while the depth is new. */
const SHARPNESS = 2;
/** ms after which a reading says nothing more. SQS's own counts may be a minute old. */
export const DEPTHS_KEPT_MS = 90_000;

/** A queue of the shared pool that may be chosen. */
export interface Candidate {
  readonly shard: number;
  /** Messages that were visible when it was looked at. */
  readonly depth: number;
  /** Messages that this environment has sent to it since. */
  readonly sent: number;
}

/**
 * Chooses one of a tenant's queues, the shorter the likelier. Whoever always takes the queue that old information calls
 * the shortest sends there together with all others who have the same information: they herd, and do worse than by
 * chance (M. Mitzenmacher, "How Useful Is Old Information?", IEEE TPDS 2000; "The Power of Two Choices in Randomized
 * Load Balancing", IEEE TPDS 2001). So the depth is corrected by what was sent since, queues that are near-equal are
 * taken by chance, and the older the reading the less it counts: a queue's weight is (depth + sent + 10)^-s, where s
 * falls from 2, for a reading of now, to 0, pure chance, for one of 90 s ago.
 *
 * @param ageMs of the reading; below 0, by clocks that differ, is 0
 * @param fraction uniform in [0, 1)
 */
export function chooseQueue(candidates: readonly Candidate[], ageMs: number, fraction: number): number | undefined {
  const freshness = Math.max(0, 1 - Math.max(0, ageMs) / DEPTHS_KEPT_MS);
  const weights = candidates.map(({ depth, sent }) => (depth + sent + ALIKE) ** (-SHARPNESS * freshness));
  let left = fraction * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return candidates[i]?.shard;
  }
  return candidates.at(-1)?.shard;
}

/** What one environment has sent to shard queues since the reading that it knows: in its memory alone. */
export interface SentCounts {
  readonly since: (depthsAt: number, priority: Priority, shard: number) => number;
  readonly add: (depthsAt: number, priority: Priority, shard: number) => void;
}

export function createSentCounts(): SentCounts {
  let from = 0;
  const counts = new Map<string, number>();
  return {
    since: (depthsAt, priority, shard) => (depthsAt === from ? (counts.get(`${priority}-${shard}`) ?? 0) : 0),
    add: (depthsAt, priority, shard) => {
      if (depthsAt !== from) counts.clear();
      from = depthsAt;
      counts.set(`${priority}-${shard}`, (counts.get(`${priority}-${shard}`) ?? 0) + 1);
    },
  };
}

/** Whether some queue is worth telling of. */
export function isNoticeable(depths: Depths, atLeast: number): boolean {
  return PRIORITIES.some((priority) => depths[priority].some((depth) => depth >= atLeast));
}
