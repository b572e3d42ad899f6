import { createHttpHandler, type HttpDeps } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import { getTask } from '../../core/api/get-task.ts';
import { waitForTask, type WaitDeps } from '../../core/api/wait-for-task.ts';
import { includeOf, waitOf } from './query.ts';

export interface ApiHandlerDeps extends HttpDeps, WaitDeps {
  /** Of the platform, as health tells it. */
  readonly version: string;
}

/** `GET /v1/tasks/{id}`, `GET /v1/tasks/{id}/result` and `GET /v1/health`. */
export function createHandler(deps: ApiHandlerDeps): ReturnType<typeof createHttpHandler> {
  return createHttpHandler(deps, {
    get: async ({ tenant, param, query }) => json(200, await getTask(deps, tenant, param('id'), includeOf(query))),
    wait: async ({ tenant, param, query }) => {
      const { done, task, retryAfterSeconds } = await waitForTask(deps, tenant, param('id'), waitOf(query));
      return done ? json(200, { done, task }) : json(202, { done, task }, { 'retry-after': String(retryAfterSeconds) });
    },
    // Whatever is asked beside it: load balancers add parameters of their own.
    health: async () => json(200, { status: 'ok', version: deps.version }),
  });
}
