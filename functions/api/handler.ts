import { attemptQuestionSchema, ROUTES } from '@sluice/contracts';
import openapi from '@sluice/contracts/openapi.json' with { type: 'json' };
import { createHttpHandler } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { attemptState } from '../../core/api/attempt-state.ts';
import { cancelTask } from '../../core/api/cancel-task.ts';
import { getTask } from '../../core/api/get-task.ts';
import { listTasks } from '../../core/api/list-tasks.ts';
import { waitForTask } from '../../core/api/wait-for-task.ts';
import { includeOf, listQueryOf, parsedBody, waitOf } from './query.ts';
import { admissionRoutes } from './admission-routes.ts';
import { quotaRoutes } from './quota-routes.ts';
import { breakerRoutes } from './breaker-routes.ts';
import { laneRoutes } from './lane-routes.ts';
import { shardRoutes } from './shard-routes.ts';
import { scheduleRoutes } from './schedule-routes.ts';
import { deadRoutes } from './dead-routes.ts';
import { tokenRoutes } from './token-routes.ts';
import { webhookSecretRoutes } from './webhook-secret-routes.ts';
import type { ApiHandlerDeps } from './deps.ts';

/** Every route but those that submit. */
export function createHandler(deps: ApiHandlerDeps): ReturnType<typeof createHttpHandler> {
  return createHttpHandler(deps, ROUTES, {
    list: async ({ tenant, query, queryAll }) => json(200, await listTasks(deps, tenant, listQueryOf(query, queryAll('label')))),
    get: async ({ tenant, param, query }) => json(200, await getTask(deps, tenant, param('id'), includeOf(query))),
    wait: async ({ tenant, param, query }) => {
      const { done, task, retryAfterSeconds } = await waitForTask(deps, tenant, param('id'), waitOf(query));
      return done ? json(200, { done, task }) : json(202, { done, task }, { 'retry-after': String(retryAfterSeconds) });
    },
    cancel: async ({ tenant, param }) => json(200, await cancelTask(deps, tenant, param('id'))),
    attempt: async ({ body }) => json(200, { state: await attemptState(deps, parsedBody(attemptQuestionSchema, body())) }),
    ...scheduleRoutes(deps),
    ...deadRoutes(deps),
    ...tokenRoutes(deps),
    ...webhookSecretRoutes(deps),
    ...quotaRoutes(deps),
    ...admissionRoutes(deps),
    ...shardRoutes(deps),
    ...laneRoutes(deps),
    ...breakerRoutes(deps),
    // Whatever is asked beside it: load balancers add parameters of their own.
    health: async () => json(200, { status: 'ok', version: deps.version }),
    openapi: async () => json(200, openapi, { 'cache-control': 'public, max-age=300' }),
  });
}
