import { breakerListQuerySchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { getBreaker, listBreakers, type BreakerViewDeps } from '../../core/breakers/list.ts';
import { parsedQuery } from './query.ts';

/** The routes of breakers: for operators, of all tenants together. */
export function breakerRoutes(deps: BreakerViewDeps): Record<Extract<RouteName, 'listBreakers' | 'getBreaker'>, Route> {
  return {
    listBreakers: async ({ query }) => json(200, await listBreakers(deps, parsedQuery(breakerListQuerySchema, query))),
    getBreaker: async ({ param }) => json(200, await getBreaker(deps, param('breaker'))),
  };
}
