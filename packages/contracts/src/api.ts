import * as z from 'zod';
import { problemSchema } from './errors.ts';
import { LIMITS } from './limits.ts';
import { labelsSchema, prioritySchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';
import { outcomeClassSchema, taskErrorSchema } from './outcome.ts';
import { retryOverrideSchema } from './retry-policy.ts';
import { endReasonSchema, taskStateSchema } from './row.ts';

const timeSchema = z.iso.datetime({ offset: true });

/** One task as a caller submits it. */
export const submissionSchema = z
  .strictObject({
    type: taskTypeNameSchema,
    /** Any JSON value. */
    payload: z.unknown().optional(),
    /** Makes the submission repeatable: the same id is the same task. Without it each call is a new task. */
    id: taskIdSchema.optional(),
    priority: prioritySchema.optional(),
    /** Seconds to wait before the first attempt; not together with `runAt`. */
    delaySeconds: z.number().min(0).max(LIMITS.delaySeconds).optional(),
    /** Not before this time. In the past means now. */
    runAt: timeSchema.optional(),
    /** A task that has not started by then ends as `expired`. */
    expiresAt: timeSchema.optional(),
    retry: retryOverrideSchema.optional(),
    labels: labelsSchema.optional(),
  })
  .refine((s) => s.delaySeconds === undefined || s.runAt === undefined, 'give delaySeconds or runAt, not both');
export type Submission = z.infer<typeof submissionSchema>;

/** What a submission is answered with: 201 for a new task, 200 for one that existed. */
export const acceptedSchema = z.object({
  id: taskIdSchema,
  uid: uidSchema,
  state: taskStateSchema,
  /** The id was known: this is the task that exists. */
  deduplicated: z.boolean(),
});
export type Accepted = z.infer<typeof acceptedSchema>;

export const batchRequestSchema = z.strictObject({ tasks: z.array(z.unknown()).min(1) });

/** One result for each task of a batch, in its order. */
export const batchResultSchema = z.union([
  z.object({ ok: z.literal(true), task: acceptedSchema }),
  z.object({ ok: z.literal(false), error: problemSchema }),
]);
export type BatchResult = z.infer<typeof batchResultSchema>;
export const batchResponseSchema = z.object({ results: z.array(batchResultSchema) });
export type BatchResponse = z.infer<typeof batchResponseSchema>;

/** One attempt in a task's timeline. */
export const attemptViewSchema = z.object({
  fence: z.number().int(),
  outcome: z.union([outcomeClassSchema, z.literal('running')]),
  claimedAt: timeSchema.optional(),
  startedAt: timeSchema.optional(),
  settledAt: timeSchema.optional(),
  late: z.boolean().optional(),
  error: taskErrorSchema.optional(),
});
export type AttemptView = z.infer<typeof attemptViewSchema>;

/** A task as callers see it. */
export const taskViewSchema = z.object({
  id: taskIdSchema,
  uid: uidSchema,
  tenant: tenantSchema,
  type: taskTypeNameSchema,
  state: taskStateSchema,
  reason: endReasonSchema.optional(),
  priority: prioritySchema,
  labels: labelsSchema,
  /** Handler runs that counted. */
  attempts: z.number().int(),
  lost: z.number().int(),
  throttled: z.number().int(),
  runAt: timeSchema,
  expiresAt: timeSchema.optional(),
  error: taskErrorSchema.optional(),
  timeline: z.object({
    acceptedAt: timeSchema,
    hintedAt: timeSchema,
    attempts: z.array(attemptViewSchema),
    endedAt: timeSchema.optional(),
  }),
  payload: z.unknown().optional(),
  result: z.unknown().optional(),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** The answer of a wait: 200 with a terminal task, 202 with one that is not there yet. */
export const waitResponseSchema = z.object({ done: z.boolean(), task: taskViewSchema });
export type WaitResponse = z.infer<typeof waitResponseSchema>;

export const healthSchema = z.object({ status: z.literal('ok'), version: z.string() });
export type Health = z.infer<typeof healthSchema>;

/** The routes of the API and the scope that each needs; `undefined` needs no credentials. */
export const ROUTES = {
  submit: { method: 'POST', path: '/v1/tasks', scope: 'submit' },
  submitBatch: { method: 'POST', path: '/v1/tasks/batch', scope: 'submit' },
  get: { method: 'GET', path: '/v1/tasks/{id}', scope: 'read' },
  wait: { method: 'GET', path: '/v1/tasks/{id}/result', scope: 'read' },
  health: { method: 'GET', path: '/v1/health', scope: undefined },
} as const;
export type RouteName = keyof typeof ROUTES;
