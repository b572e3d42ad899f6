import { heavyHittersQuerySchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { heavyHitters, type HeavyHitterDeps } from '../../core/admission/heavy-hitters.ts';
import { parsedQuery } from './query.ts';

const TENANTS = 20;

/** Who submits most: for operators. */
export function admissionRoutes(deps: HeavyHitterDeps): Record<Extract<RouteName, 'heavyHitters'>, Route> {
  return {
    heavyHitters: async ({ query }) => json(200, await heavyHitters(deps, parsedQuery(heavyHittersQuerySchema, query).limit ?? TENANTS)),
  };
}
