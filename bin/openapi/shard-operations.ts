import { shardMapSchema, tenantSchema, tenantShardsSchema, type RouteName, type ShardMap, type TenantShards } from '@sluice/contracts';
import * as z from 'zod';
import type { Operation } from './operation.ts';

const since = '2029-12-24T18:00:00.000Z';
const map: ShardMap = {
  shards: 4,
  shardsPerTenant: 2,
  combinations: 6,
  chanceOfSharingAll: 0.16666666666666666,
  tenants: 3,
  tenantsOfShard: [2, 1, 1, 2],
  dedicated: [{ tenant: 'acme', shard: 'd7', state: 'active', since }],
  moved: [],
  depths: { at: since, high: [0, 0, 0, 0], normal: [812, 3, 0, 95], low: [0, 0, 0, 0] },
};
const shards: TenantShards = {
  tenant: 'acme',
  shards: [3, 0],
  queues: { high: ['high-d7'], normal: ['normal-d7'], low: ['low-d7'] },
  dedicated: { tenant: 'acme', shard: 'd7', state: 'active', since },
  sharing: [1, 1, 0],
  expectedSharingAll: 0.3333333333333333,
};

/** What operators ask about the shard queues. */
export const SHARD_OPERATIONS = {
  listShards: {
    tag: 'Operators',
    summary: 'Get the shard map',
    description: 'How tenants are spread over the shard queues, which of them have queues of their own, and how deep the queues are.',
    success: { 200: { description: 'The map.', schema: shardMapSchema, example: map } },
    codes: [],
  },
  getShards: {
    tag: 'Operators',
    summary: "Get a tenant's shards",
    description: 'Which queues a tenant is routed to, and exactly how many of the other tenants that are known share its shard queues.',
    path: z.object({ tenant: tenantSchema.meta({ description: 'The tenant that it is about, whoever calls.' }) }),
    success: { 200: { description: 'Its shards.', schema: tenantShardsSchema, example: shards } },
    codes: ['bad_request'],
  },
} as const satisfies Partial<Record<RouteName, Operation>>;
