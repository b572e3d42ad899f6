import { ROUTES, routingDocumentSchema, shardMapSchema, tenantShardsSchema, type RouteName } from '@sluice/contracts';
import { expect, it } from 'vitest';
import { createMemoryTokenStore } from '../../../adapters/memory/index.ts';
import { shardMap, tenantShards, type ShardMapDeps } from '../../../core/routing/shard-map.ts';
import { shuffleShard } from '../../../core/routing/shuffle-shard.ts';
import { createWorld } from '../../helpers/world.ts';
import { T0 } from '../../helpers/samples.ts';

async function makeDeps(): Promise<ShardMapDeps> {
  const { deps } = createWorld();
  const tokens = createMemoryTokenStore();
  for (const tenant of ['a', 'b', 'c', 'd', 'e']) {
    await tokens.note({ v: 1, hash: `hash-${tenant}`, tenant, scopes: ['submit'], createdAt: T0 });
  }
  await deps.quotas.put('f', { v: 1, tenant: 'f', quota: {}, updatedAt: T0 });
  const document = routingDocumentSchema.parse({
    v: 1,
    version: 1,
    generations: 3,
    dedicated: [{ tenant: 'hot', generation: 3, state: 'active', since: T0 }],
    moved: [{ tenant: 'a', shards: [1], since: T0 }],
    suspects: [],
  });
  await deps.routes.write(document);
  return { routes: deps.routes, routing: deps.routing, quotas: deps.quotas, tokens };
}

it('tells how known tenants are spread', async () => {
  const map = await shardMap(await makeDeps());
  expect(shardMapSchema.parse(map)).toEqual(map);
  expect(map).toMatchObject({ shards: 4, shardsPerTenant: 2, combinations: 6, chanceOfSharingAll: 1 / 6, tenants: 7 });
  expect(map.tenantsOfShard.reduce((sum, n) => sum + n, 0)).toBe(14);
  expect(map.dedicated).toEqual([{ tenant: 'hot', shard: 'd3', state: 'active', since: new Date(T0).toISOString() }]);
});

it('tells exactly how many share queues with one', async () => {
  const deps = await makeDeps();
  for (const tenant of ['a', 'f', 'hot', 'never-seen']) {
    const told = await tenantShards(deps, tenant);
    expect(tenantShardsSchema.parse(told)).toEqual(told);
    const own = shuffleShard(tenant, 4, 2);
    const others = ['a', 'b', 'c', 'd', 'e', 'f', 'hot'].filter((other) => other !== tenant);
    const common = others.map((other) => shuffleShard(other, 4, 2).filter((shard) => own.includes(shard)).length);
    expect(told.sharing).toEqual([0, 1, 2].map((n) => common.filter((c) => c === n).length));
    expect(told.expectedSharingAll).toBeCloseTo(others.length / 6);
  }
});

it('names the queues that hints go to: its own, those that it was moved to, or its shuffle shard', async () => {
  const deps = await makeDeps();
  expect((await tenantShards(deps, 'hot')).queues.high).toEqual(['high-d3']);
  expect((await tenantShards(deps, 'a')).queues.low).toEqual(['low-1']);
  expect((await tenantShards(deps, 'b')).queues.normal).toEqual(shuffleShard('b', 4, 2).map((shard) => `normal-${shard}`));
});

it('refuses what is no tenant', async () => {
  await expect(tenantShards(await makeDeps(), 'No Tenant')).rejects.toMatchObject({ code: 'bad_request' });
});

it('is for operators alone: it is about all tenants', () => {
  for (const route of ['listShards', 'getShards'] satisfies RouteName[]) expect(ROUTES[route].scope).toBe('platform');
});
