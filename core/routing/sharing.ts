import { shuffleShard } from './shuffle-shard.ts';

/**
 * How many different shuffle shards there are: C(N, k) = N! / (k! (N - k)!). Exact below 2^53, which every k up to 10
 * is with 64 queues; above that it is rounded.
 */
export function combinations(shards: number, shardsPerTenant: number): number {
  const k = BigInt(Math.max(0, Math.min(shardsPerTenant, shards - shardsPerTenant)));
  let count = 1n;
  // Each product of i numbers in a row is divisible by i!, so that no step leaves a rest.
  for (let i = 1n; i <= k; i++) count = (count * (BigInt(shards) - k + i)) / i;
  return Number(count);
}

/**
 * The probability that two tenants share at least `common` of their k queues: the hypergeometric tail
 * sum over j >= common of C(k, j) C(N - k, k - j) / C(N, k). With `common` = k it is 1 / C(N, k).
 */
export function chanceOfSharing(shards: number, shardsPerTenant: number, common: number): number {
  let chance = 0;
  for (let j = Math.max(0, common); j <= shardsPerTenant; j++) {
    if (shardsPerTenant - j > shards - shardsPerTenant) continue;
    chance += combinations(shardsPerTenant, j) * combinations(shards - shardsPerTenant, shardsPerTenant - j);
  }
  return chance / combinations(shards, shardsPerTenant);
}

/** How many of the others are expected to share all k queues with a tenant, by the formula: (tenants - 1) / C(N, k). */
export function expectedSharing(tenants: number, shards: number, shardsPerTenant: number): number {
  return Math.max(0, tenants - 1) / combinations(shards, shardsPerTenant);
}

/** How many tenants share how many queues with one: by the number of common queues, from 0 to k. */
export function sharingWith(tenant: string, others: Iterable<string>, shards: number, shardsPerTenant: number): readonly number[] {
  const own = new Set(shuffleShard(tenant, shards, shardsPerTenant));
  const counts = Array.from({ length: own.size + 1 }, () => 0);
  for (const other of others) {
    if (other === tenant) continue;
    const common = shuffleShard(other, shards, shardsPerTenant).filter((shard) => own.has(shard)).length;
    counts[common] = (counts[common] ?? 0) + 1;
  }
  return counts;
}
