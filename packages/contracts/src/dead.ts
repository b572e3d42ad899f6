import * as z from 'zod';
import { timeSchema } from './submission.ts';
import { LIMITS } from './limits.ts';
import { labelsSchema, prioritySchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';
import { taskErrorSchema } from './attempt-end.ts';
import { retryOverrideSchema } from './retry-policy.ts';
import { endReasonSchema } from './row.ts';
import { userTaskIdSchema } from './system.ts';
import { wholeNumber } from './whole-number.ts';

/** Why a dead task failed. */
export const deadReasonSchema = endReasonSchema.exclude(['expired', 'cancelled']);
export type DeadReason = z.infer<typeof deadReasonSchema>;

/** Which dead tasks: all of it must hold. */
export const deadFilterSchema = z.strictObject({
  /** Without it all types but the platform's own. */
  type: taskTypeNameSchema.optional(),
  /** The name of the error, exactly. */
  error: z.string().min(1).max(256).optional(),
  reason: deadReasonSchema.optional(),
  labels: labelsSchema.optional(),
  /** Failed at or after this time. @default all that are kept */
  from: timeSchema.optional(),
  /** Failed before this time. @default now */
  to: timeSchema.optional(),
});
export type DeadFilter = z.infer<typeof deadFilterSchema>;

/** Which dead tasks to list: all of it must hold. Those that failed last come first. */
export const listDeadQuerySchema = deadFilterSchema.omit({ labels: true }).extend({
  /** `key:value`, split at the first colon. */
  label: z
    .array(z.string().regex(/^[^:]+:/, 'a label filter is key:value'))
    .max(LIMITS.labels)
    .optional(),
  /** Tasks on a page. @default 50 */
  limit: wholeNumber(LIMITS.listPage).optional(),
  /** Where the page before ended; only with the same filters. */
  cursor: z.string().max(512).optional(),
});
export type DeadQuery = z.infer<typeof listDeadQuerySchema>;

/** A generation of a task. */
export const generationSchema = z.object({ id: taskIdSchema, uid: uidSchema });
export type Generation = z.infer<typeof generationSchema>;

/** A task that has failed for good and that nobody has redriven. Its attempts and payload come with the task itself. */
export const deadTaskSchema = z.object({
  id: taskIdSchema,
  uid: uidSchema,
  tenant: tenantSchema,
  type: taskTypeNameSchema,
  reason: deadReasonSchema.optional(),
  error: taskErrorSchema.omit({ stack: true }).optional(),
  priority: prioritySchema,
  labels: labelsSchema,
  /** Handler runs that counted. */
  attempts: z.number().int(),
  /** Attempts of which nothing was ever heard. */
  lost: z.number().int(),
  acceptedAt: timeSchema,
  failedAt: timeSchema,
  /** The generation that this one repeated. */
  retryOf: uidSchema.optional(),
  /** The redrive that made this generation. */
  redrive: uidSchema.optional(),
});
export type DeadTask = z.infer<typeof deadTaskSchema>;

/** A page of dead tasks. It may hold fewer than asked for, or none, and yet have a cursor: then there may be more. */
export const deadResponseSchema = z.object({ tasks: z.array(deadTaskSchema), cursor: z.string().optional() });
export type DeadResponse = z.infer<typeof deadResponseSchema>;

/** What a retry changes of the task: with a payload it is a new task, linked to the old one. */
export const retryRequestSchema = z
  .strictObject({
    /** In place of the old task's payload. Any JSON value. */
    payload: z.unknown().optional(),
    /** Of the new task. @default made of the old id and its generation, so that repeating the call finds the task */
    id: userTaskIdSchema.optional(),
    priority: prioritySchema.optional(),
    labels: labelsSchema.optional(),
    retry: retryOverrideSchema.optional(),
  })
  .refine((given) => given.payload !== undefined || Object.keys(given).length === 0, {
    error: 'give the payload that the new task is to have; a retry with the old payload takes no body',
  });
export type RetryRequest = z.infer<typeof retryRequestSchema>;
