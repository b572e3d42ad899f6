import type { RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { shardMap, tenantShards, type ShardMapDeps } from '../../core/routing/shard-map.ts';

/** The routes of the shard map: for operators, of any tenant. */
export function shardRoutes(deps: ShardMapDeps): Record<Extract<RouteName, `${string}Shards`>, Route> {
  return {
    listShards: async () => json(200, await shardMap(deps)),
    getShards: async ({ param }) => json(200, await tenantShards(deps, param('tenant'))),
  };
}
