import { laneListQuerySchema, laneQuerySchema, type RouteName } from '@sluice/contracts';
import type { HttpRequest, Route } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { getLane, type LaneDeps } from '../../core/lanes/get.ts';
import { listLanes, type LaneListDeps } from '../../core/lanes/list.ts';
import { parsedQuery } from './query.ts';

/** The routes of lanes: a tenant sees its own, an operator those of any tenant. */
export function laneRoutes(deps: LaneDeps & LaneListDeps): Record<Extract<RouteName, 'listLanes' | 'getLane'>, Route> {
  return {
    listLanes: async (request) => {
      const query = parsedQuery(laneListQuerySchema, request.query);
      checkTenant(request, query.tenant);
      return json(200, await listLanes(deps, request.tenant, query));
    },
    getLane: async (request) => {
      const { tenant } = parsedQuery(laneQuerySchema, request.query);
      checkTenant(request, tenant);
      return json(200, await getLane(deps, tenant ?? request.tenant, request.param('type')));
    },
  };
}

/** @throws SluiceError `forbidden` for another tenant than the credentials', without the scope that is about all of them */
function checkTenant({ tenant, needs }: HttpRequest, asked: string | undefined): void {
  if (asked !== undefined && asked !== tenant) needs('platform');
}
