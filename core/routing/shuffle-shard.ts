/**
 * A tenant's shuffle shard: k of N queues by rendezvous hashing (Thaler and Ravishankar 1998), so that a change of N
 * moves only the tenants that the changed queues win or lose. Two tenants share all k queues with probability
 * 1 / C(N, k) (C. MacCarthaigh, "Workload isolation using shuffle-sharding", Amazon Builders' Library).
 */
export function shuffleShard(tenant: string, shards: number, shardsPerTenant: number): readonly number[] {
  return rendezvousOrder(tenant, shards).slice(0, Math.min(shardsPerTenant, shards));
}

/** All N queues in the order in which they suit a tenant: its shuffle shard first, then those that would take their places. */
export function rendezvousOrder(tenant: string, shards: number): readonly number[] {
  const scores = Array.from({ length: shards }, (_, shard) => ({ shard, score: hash32(`${tenant}#${shard}`) }));
  scores.sort((a, b) => b.score - a.score || a.shard - b.shard);
  return scores.map((s) => s.shard);
}

/** A 32-bit hash: FNV-1a (Fowler, Noll, Vo) with MurmurHash3's finaliser, which spreads short and similar keys. */
export function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
