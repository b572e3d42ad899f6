import * as z from 'zod';
import { problemSchema } from './errors.ts';
import { LIMITS } from './limits.ts';
import {
  labelsSchema,
  prioritySchema,
  scopeSchema,
  taskIdSchema,
  taskTypeNameSchema,
  tenantSchema,
  tenantScopeSchema,
  tokenIdSchema,
  tokenNameSchema,
  uidSchema,
} from './names.ts';
import { notifySchema } from './notify.ts';
import { logPointerSchema, outcomeClassSchema, taskErrorSchema } from './attempt-end.ts';
import { endReasonSchema } from './row.ts';
import { timeSchema } from './submission.ts';
import { taskStateSchema, taskViewStateSchema } from './task-state.ts';
import { wholeNumber } from './whole-number.ts';

/** What a submission is answered with: 201 for a new task, 200 for one that existed. */
export const acceptedSchema = z.object({
  id: taskIdSchema,
  uid: uidSchema,
  state: taskStateSchema,
  /** The id was known: this is the task that exists. */
  deduplicated: z.boolean(),
});
export type Accepted = z.infer<typeof acceptedSchema>;

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
  /** Numbers the attempts of a task in their order, with gaps. */
  fence: z.number().int(),
  outcome: z.union([outcomeClassSchema, z.literal('running')]),
  claimedAt: timeSchema.optional(),
  /** When the handler began, where that is known. */
  startedAt: timeSchema.optional(),
  settledAt: timeSchema.optional(),
  /** It came after the end, or from an older attempt: without effect. */
  late: z.boolean().optional(),
  error: taskErrorSchema.optional(),
  /** Where its log lines are, for an attempt that did not succeed. */
  log: logPointerSchema.optional(),
});
export type AttemptView = z.infer<typeof attemptViewSchema>;

/** A task as callers see it. */
export const taskViewSchema = z.object({
  id: taskIdSchema,
  uid: uidSchema,
  tenant: tenantSchema,
  type: taskTypeNameSchema,
  state: taskViewStateSchema,
  reason: endReasonSchema.optional(),
  priority: prioritySchema,
  labels: labelsSchema,
  /** Handler runs that counted. */
  attempts: z.number().int(),
  /** Attempts of which nothing was ever heard. */
  lost: z.number().int(),
  /** Attempts that were put off because something asked to slow down; they do not count. */
  throttled: z.number().int(),
  /** Attempts that made room for others; they do not count. */
  preempted: z.number().int().optional(),
  /** The next attempt comes no earlier, or came no earlier. */
  runAt: timeSchema,
  expiresAt: timeSchema.optional(),
  /** The generation that this one repeats. */
  retryOf: uidSchema.optional(),
  /** To whom the end is told, beside what its type says. */
  notify: notifySchema.optional(),
  /** The redrive that made this generation. */
  redrive: uidSchema.optional(),
  /** The failed task that this one repeats with another payload. */
  redriveOf: z.object({ id: taskIdSchema, uid: uidSchema }).optional(),
  /** The task that repeats this one with another payload. */
  redrivenAs: z.object({ id: taskIdSchema, uid: uidSchema }).optional(),
  error: taskErrorSchema.optional(),
  timeline: z.object({
    acceptedAt: timeSchema,
    /** When the first note to look at it was made. */
    hintedAt: timeSchema,
    attempts: z.array(attemptViewSchema),
    endedAt: timeSchema.optional(),
  }),
  /** Where it is asked for. */
  payload: z.unknown().optional(),
  /** What the handler returned, where it is asked for. */
  result: z.unknown().optional(),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** A task on a page of a list: without its timeline and values, and its error without the stack. */
export const taskSummarySchema = taskViewSchema.omit({ timeline: true, payload: true, result: true }).extend({
  error: taskErrorSchema.omit({ stack: true }).optional(),
  acceptedAt: timeSchema,
  endedAt: timeSchema.optional(),
});
export type TaskSummary = z.infer<typeof taskSummarySchema>;

/** What to list: all of it must hold. The newest come first. */
export const listQuerySchema = z.strictObject({
  type: taskTypeNameSchema.optional(),
  state: taskViewStateSchema.optional(),
  /** `key:value`, split at the first colon. */
  label: z
    .array(z.string().regex(/^[^:]+:/, 'a label filter is key:value'))
    .max(LIMITS.labels)
    .optional(),
  /** Accepted at or after this time. @default 90 days before `to` */
  from: timeSchema.optional(),
  /** Accepted before this time. @default now */
  to: timeSchema.optional(),
  /** Tasks on a page. @default 50 */
  limit: wholeNumber(LIMITS.listPage).optional(),
  /** Where the page before ended; only with the same filters. */
  cursor: z.string().max(512).optional(),
});
export type ListQuery = z.infer<typeof listQuerySchema>;

/** A page of a list. It may hold fewer tasks than asked for, or none, and yet have a cursor: then there may be more. */
export const listResponseSchema = z.object({ tasks: z.array(taskSummarySchema), cursor: z.string().optional() });
export type ListResponse = z.infer<typeof listResponseSchema>;

/** What a cancelled task is now: `cancelled`, or `cancelling` while its attempt still runs. */
export const cancelledSchema = z.object({ id: taskIdSchema, uid: uidSchema, state: z.enum(['cancelled', 'cancelling']) });
export type Cancelled = z.infer<typeof cancelledSchema>;

export const retryQuerySchema = z.strictObject({
  /** Which generation to repeat: makes the call repeatable. @default the one that the id stands for now */
  uid: uidSchema.optional(),
});

/** An attempt's question whether it shall go on. Its key is known to this attempt alone. */
export const attemptQuestionSchema = z.strictObject({
  tenant: tenantSchema,
  task: taskIdSchema,
  uid: uidSchema,
  fence: z.number().int().positive(),
  key: z.string().min(1).max(64),
});
export type AttemptQuestion = z.infer<typeof attemptQuestionSchema>;

/**
 * `running`: go on; `cancelling`: stop, its task is to be cancelled; `preempting`: stop at the next checkpoint, to make room;
 * `over`: stop, the outcome is no longer wanted.
 */
export const attemptAnswerSchema = z.object({ state: z.enum(['running', 'cancelling', 'preempting', 'over']) });
export type AttemptAnswer = z.infer<typeof attemptAnswerSchema>;

/** An API token as its tenant sees it: never the token itself. */
export const tokenViewSchema = z.object({
  id: tokenIdSchema,
  name: tokenNameSchema.optional(),
  scopes: z.array(scopeSchema),
  createdAt: timeSchema,
  expiresAt: timeSchema.optional(),
});
export type TokenView = z.infer<typeof tokenViewSchema>;
export const tokenListSchema = z.object({ tokens: z.array(tokenViewSchema) });
export type TokenList = z.infer<typeof tokenListSchema>;

export const tokenRequestSchema = z.strictObject({
  scopes: z.array(tenantScopeSchema).min(1),
  name: tokenNameSchema.optional(),
  /** @default never expires */
  expiresInDays: z.number().positive().max(LIMITS.tokenDays).optional(),
});
export type TokenRequest = z.infer<typeof tokenRequestSchema>;

/** How a token is replaced by one with the same rights. */
export const rotateRequestSchema = z.strictObject({
  /** Seconds that the old token goes on working, so that its users can take up the new one. @default 3600 */
  graceSeconds: z.number().int().min(0).max(LIMITS.tokenGraceSeconds).optional(),
});
export type RotateRequest = z.infer<typeof rotateRequestSchema>;

/** The only answer that holds a token: it is not kept anywhere. */
export const issuedTokenSchema = tokenViewSchema.extend({ token: z.string() });
export type IssuedToken = z.infer<typeof issuedTokenSchema>;

/** The answer of a wait: 200 with a terminal task, 202 with one that is not there yet. */
export const waitResponseSchema = z.object({ done: z.boolean(), task: taskViewSchema });
export type WaitResponse = z.infer<typeof waitResponseSchema>;

export const healthSchema = z.object({ status: z.literal('ok'), version: z.string() });
export type Health = z.infer<typeof healthSchema>;
