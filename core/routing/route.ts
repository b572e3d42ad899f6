import type { Priority, RoutingDocument } from '@sluice/contracts';
import type { Shard } from '../ports/hint-queue.ts';
import type { Random } from '../ports/random.ts';
import type { KnownRouting } from '../ports/routing-store.ts';
import { chooseQueue } from './choose.ts';
import type { Pool } from './move.ts';
import { shuffleShard } from './shuffle-shard.ts';

/** The name of a dedicated queue in place of a shard's number. */
export function dedicatedShard(generation: number): Shard {
  return `d${generation}`;
}

export interface Routed {
  readonly tenant: string;
  readonly priority: Priority;
  /** A shard of the pool that will do as well, where the tenant's name alone says where it is routed. */
  readonly via?: Shard | undefined;
}

/**
 * Where a tenant's next hint goes. Without a document, or by one that says nothing of it, by its name alone: to a queue of
 * the shared pool, all of which are always there and consumed. A tenant's own queue takes in no other's hints, and its
 * tenant's only while it is routed there.
 */
export function routeOf(
  { tenant, priority, via }: Routed,
  pool: Pool,
  known: KnownRouting | undefined,
  now: number,
  random: Pick<Random, 'fraction'>,
): Shard {
  const own = known?.document.dedicated.find((entry) => entry.tenant === tenant && entry.state === 'active');
  if (own) return dedicatedShard(own.generation);
  const moved = movedTo(tenant, pool, known?.document);
  if (!moved && typeof via === 'number') return via;
  const shards = moved ?? shuffleShard(tenant, pool.shards, pool.shardsPerTenant);
  const depths = known?.document.depths;
  if (!known || !depths) return shards[Math.floor(random.fraction() * shards.length)] ?? 0;
  const candidates = shards.map((shard) => ({
    shard,
    depth: depths[priority][shard] ?? 0,
    sent: known.sent.since(depths.at, priority, shard),
  }));
  return chooseQueue(candidates, now - depths.at, random.fraction()) ?? 0;
}

function movedTo(tenant: string, pool: Pool, document: RoutingDocument | undefined): readonly number[] | undefined {
  // A pool that has shrunk has no such queue any more.
  const shards = document?.moved.find((entry) => entry.tenant === tenant)?.shards.filter((shard) => shard < pool.shards);
  return shards && shards.length > 0 ? shards : undefined;
}
