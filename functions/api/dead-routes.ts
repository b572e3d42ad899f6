import { redriveRequestSchema, retryQuerySchema, retryRequestSchema, type RouteName } from '@sluice/contracts';
import type { Route } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { retryTask } from '../../core/api/retry-task.ts';
import { listDead } from '../../core/dead/list-dead.ts';
import { retryAsNew } from '../../core/dead/retry-as-new.ts';
import {
  cancelRedrive,
  createRedrive,
  getRedrive,
  listRedrives,
  pauseRedrive,
  planRedrive,
  type RedriveDeps,
  resumeRedrive,
} from '../../core/redrive/operate.ts';
import { deadQueryOf, redriveQueryOf } from './dead-query.ts';
import { parsedBody, parsedQuery } from './query.ts';

/** The routes of dead letters: to list them, and to run them again, one or many. */
export function deadRoutes(
  deps: RedriveDeps,
): Record<Extract<RouteName, 'retry' | 'listDead' | `${string}Redrive` | 'listRedrives'>, Route> {
  return {
    retry: async ({ tenant, param, query, body }) => {
      const { uid } = parsedQuery(retryQuerySchema, query);
      const request = parsedBody(retryRequestSchema, body({}));
      const accepted =
        request.payload === undefined
          ? await retryTask(deps, tenant, param('id'), uid)
          : await retryAsNew(deps, tenant, param('id'), request, uid);
      return json(accepted.deduplicated ? 200 : 201, accepted);
    },
    listDead: async ({ tenant, query, queryAll }) => json(200, await listDead(deps, tenant, deadQueryOf(query, queryAll('label')))),
    createRedrive: async ({ tenant, body }) => {
      const { dryRun, ...request } = parsedBody(redriveRequestSchema, body());
      return dryRun ? json(200, await planRedrive(deps, tenant, request)) : json(202, await createRedrive(deps, tenant, request));
    },
    listRedrives: async ({ tenant, query }) => json(200, await listRedrives(deps, tenant, redriveQueryOf(query))),
    getRedrive: async ({ tenant, param }) => json(200, await getRedrive(deps, tenant, param('id'))),
    cancelRedrive: async ({ tenant, param }) => json(200, await cancelRedrive(deps, tenant, param('id'))),
    pauseRedrive: async ({ tenant, param }) => json(200, await pauseRedrive(deps, tenant, param('id'))),
    resumeRedrive: async ({ tenant, param }) => json(200, await resumeRedrive(deps, tenant, param('id'))),
  };
}
