import { PRIORITIES, SluiceError, tenantSchema, type Dedicated, type Moved, type ShardMap, type TenantShards } from '@sluice/contracts';
import type { Routing } from '../hints/place.ts';
import type { QuotaStore } from '../ports/quota-store.ts';
import type { RoutingStore } from '../ports/routing-store.ts';
import type { TokenStore } from '../ports/token-store.ts';
import { knownTenants } from './known-tenants.ts';
import { NO_ROUTING } from './next-document.ts';
import { dedicatedShard } from './route.ts';
import { chanceOfSharing, combinations, expectedSharing, sharingWith } from './sharing.ts';
import { shuffleShard } from './shuffle-shard.ts';

export interface ShardMapDeps {
  readonly routes: RoutingStore;
  readonly routing: Routing;
  readonly tokens: TokenStore;
  readonly quotas: QuotaStore;
}

/** How tenants are spread over the shard queues. Reads the names of all tenants that are known. @throws SluiceError `unavailable` */
export async function shardMap(deps: ShardMapDeps): Promise<ShardMap> {
  const { shards, shardsPerTenant } = deps.routing;
  const document = (await deps.routes.read()) ?? NO_ROUTING;
  const tenants = await knownTenants(deps);
  const tenantsOfShard = Array.from({ length: shards }, () => 0);
  for (const tenant of tenants) {
    for (const shard of shuffleShard(tenant, shards, shardsPerTenant)) tenantsOfShard[shard] = (tenantsOfShard[shard] ?? 0) + 1;
  }
  return {
    shards,
    shardsPerTenant,
    combinations: combinations(shards, shardsPerTenant),
    chanceOfSharingAll: chanceOfSharing(shards, shardsPerTenant, shardsPerTenant),
    tenants: tenants.size,
    tenantsOfShard,
    dedicated: document.dedicated.map(dedicatedView),
    moved: document.moved.map(movedView),
    ...(document.depths && { depths: { ...document.depths, at: instant(document.depths.at) } }),
  };
}

/**
 * Where a tenant's work goes, whether anything is known of it or not, and exactly how many of the others share its queues.
 * @throws SluiceError `bad_request` for what is no tenant, `unavailable`
 */
export async function tenantShards(deps: ShardMapDeps, tenant: string): Promise<TenantShards> {
  const parsed = tenantSchema.safeParse(tenant);
  if (!parsed.success) throw new SluiceError('bad_request', `"${tenant.slice(0, 100)}" is no tenant: ${parsed.error.issues[0]?.message}`);
  const { shards, shardsPerTenant } = deps.routing;
  const document = (await deps.routes.read()) ?? NO_ROUTING;
  const others = await knownTenants(deps);
  others.delete(tenant);
  const own = shuffleShard(tenant, shards, shardsPerTenant);
  const dedicated = document.dedicated.find((entry) => entry.tenant === tenant);
  const moved = document.moved.find((entry) => entry.tenant === tenant);
  const used = dedicated?.state === 'active' ? [dedicatedShard(dedicated.generation)] : (moved?.shards ?? own);
  const queuesOf = (priority: string): string[] => used.map((shard) => `${priority}-${shard}`);
  const [high, normal, low] = PRIORITIES.map(queuesOf);
  return {
    tenant,
    shards: [...own],
    queues: { high: high ?? [], normal: normal ?? [], low: low ?? [] },
    ...(dedicated && { dedicated: dedicatedView(dedicated) }),
    ...(moved && { moved: movedView(moved) }),
    sharing: [...sharingWith(tenant, others, shards, shardsPerTenant)],
    expectedSharingAll: expectedSharing(others.size + 1, shards, shardsPerTenant),
  };
}

function dedicatedView({ tenant, generation, state, since }: Dedicated) {
  return { tenant, shard: String(dedicatedShard(generation)), state, since: instant(since) };
}

function movedView({ tenant, shards, since }: Moved) {
  return { tenant, shards, since: instant(since) };
}

function instant(at: number): string {
  return new Date(at).toISOString();
}
