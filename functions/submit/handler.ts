import { batchRequestSchema, LIMITS, SluiceError, SUBMIT_ROUTES, type BatchResult } from '@sluice/contracts';
import { createHttpHandler, type HttpDeps } from '../../adapters/http/create-http-handler.ts';
import { json } from '../../adapters/http/respond.ts';
import type { SubmitResult } from '../../core/submit/submit.ts';

export interface SubmitHandlerDeps extends HttpDeps {
  /** Submits tasks of a tenant: one result for each, in their order. */
  readonly submit: (tenant: string, submissions: readonly unknown[]) => Promise<readonly SubmitResult[]>;
}

/** `POST /v1/tasks` and `POST /v1/tasks/batch`. */
export function createHandler(deps: SubmitHandlerDeps): ReturnType<typeof createHttpHandler> {
  return createHttpHandler(deps, SUBMIT_ROUTES, {
    submit: async ({ tenant, body }) => {
      const [result] = await deps.submit(tenant, [body()]);
      if (!result) throw new SluiceError('internal', 'a submission has no result');
      if (!result.ok) throw result.error;
      return json(result.task.deduplicated ? 200 : 201, result.task);
    },
    submitBatch: async ({ tenant, body, problem }) => {
      const results = await deps.submit(tenant, tasksOf(body()));
      const answers = results.map((r): BatchResult => (r.ok ? r : { ok: false, error: problem(r.error) }));
      return json(200, { results: answers });
    },
  });
}

/** @throws SluiceError `bad_request`, `too_many_tasks` */
function tasksOf(body: unknown): readonly unknown[] {
  const parsed = batchRequestSchema.safeParse(body);
  if (!parsed.success) {
    throw new SluiceError('bad_request', 'a batch is {"tasks": [...]} with at least one submission and nothing else');
  }
  const { tasks } = parsed.data;
  if (tasks.length <= LIMITS.batchTasks) return tasks;
  throw new SluiceError(
    'too_many_tasks',
    `the batch has ${tasks.length} tasks; one call takes at most ${LIMITS.batchTasks}: send the others in calls of their own`,
    {
      details: { tasks: tasks.length, limit: LIMITS.batchTasks },
    },
  );
}
