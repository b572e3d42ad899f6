import { PRIORITIES, type Moved } from '@sluice/contracts';
import type { Observation } from './observe.ts';
import { quietSince } from './promote.ts';
import type { RoutingSettings } from './settings.ts';
import { CALM_PART } from './settings.ts';
import { rendezvousOrder } from './shuffle-shard.ts';

export interface Pool {
  readonly shards: number;
  readonly shardsPerTenant: number;
}

/**
 * Which latency-sensitive tenants are off their own queues, and where. One whose queue has filled goes to the queues that
 * come next for it and are not busy, so that tenants of one shuffle shard part, and comes back when its own have been calm
 * for long enough. One that is moved moves on only when a queue that it was moved to fills as well.
 */
export function nextMoved(
  moved: readonly Moved[],
  dedicatedTo: ReadonlySet<string>,
  observed: Observation,
  pool: Pool,
  settings: RoutingSettings,
  now: number,
): readonly Moved[] {
  const depth = (shard: number): number => Math.max(0, ...PRIORITIES.map((priority) => observed.shared[priority][shard]?.visible ?? 0));
  const depths = Array.from({ length: pool.shards }, (_, shard) => depth(shard));
  const isBusy = (shard: number): boolean => (depths[shard] ?? 0) >= settings.busyDepth;
  const isCalm = (shard: number): boolean => (depths[shard] ?? 0) < settings.busyDepth * CALM_PART;
  const wanted = new Set(observed.sensitive.filter((tenant) => !dedicatedTo.has(tenant)));
  const before = new Map(moved.map((move) => [move.tenant, move]));

  // Whoever is away keeps its place.
  const tenants = [...before.keys(), ...[...wanted].filter((tenant) => !before.has(tenant))];
  return tenants
    .flatMap((tenant): Moved[] => {
      if (!wanted.has(tenant)) return [];
      const order = rendezvousOrder(tenant, pool.shards);
      const own = order.slice(0, pool.shardsPerTenant);
      const move = before.get(tenant);
      if (!move && !own.some(isBusy)) return [];
      const calm = move && quietSince(move, own.every(isCalm), now);
      if (calm?.quietSince !== undefined && now - calm.quietSince >= settings.moveBackAfterMs) return [];
      if (calm?.shards.every((shard) => shard < pool.shards && !isBusy(shard))) return [calm];
      const shards = order.filter((shard) => !isBusy(shard)).slice(0, pool.shardsPerTenant);
      // All are busy: nothing is better than its own.
      if (shards.length === 0) return [];
      return [{ tenant, shards, since: calm?.since ?? now, ...(calm?.quietSince !== undefined && { quietSince: calm.quietSince }) }];
    })
    .slice(0, settings.maxMoved);
}
