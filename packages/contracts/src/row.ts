import * as z from 'zod';
import { instantSchema, labelsSchema, prioritySchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';
import { againSchema } from './hint.ts';
import { notifySchema } from './notify.ts';
import { logPointerSchema, outcomeClassSchema, taskErrorSchema } from './attempt-end.ts';
import { retryOverrideSchema } from './retry-policy.ts';
import { taskStateSchema } from './task-state.ts';

/** Why a task is in its terminal state, where the state alone does not say it. */
export const END_REASONS = [
  'fatal',
  'attempts_exhausted',
  'max_age',
  'quarantined',
  'outcome_unknown',
  'payload_lost',
  'expired',
  'cancelled',
] as const;
export const endReasonSchema = z.enum(END_REASONS);
export type EndReason = z.infer<typeof endReasonSchema>;

/** Where a JSON value is kept: inside the row, as an item of its own, or in S3. */
export const storedValueSchema = z.discriminatedUnion('in', [
  z.object({ in: z.literal('row'), json: z.string() }),
  z.object({ in: z.literal('item'), bytes: z.number().int() }),
  z.object({ in: z.literal('s3'), key: z.string(), bytes: z.number().int() }),
]);
export type StoredValue = z.infer<typeof storedValueSchema>;

/** The latest attempt: what its claim wrote. */
export const runSchema = z.object({
  /** The lowest seq that is still this attempt's hint. */
  hint: z.number().int().nonnegative(),
  mode: z.enum(['event', 'wait']),
  claimedAt: instantSchema,
  /** One instant: the end of the lease and the expiry of the permit, ms. */
  leaseEnd: instantSchema,
  cell: z.number().int().nonnegative(),
  /** The permit is of what is kept for newcomers to the type, whose cell it is. */
  entry: z.literal(true).optional(),
  /** It came out of its lane's backlog, which is told when such a permit comes back: no cell of the lane's own says that more waits. */
  waited: z.literal(true).optional(),
  /** Random; tells this claim from any other, so that a repeated write knows itself. */
  nonce: z.string(),
});
export type Run = z.infer<typeof runSchema>;

/** A task as it is stored. Every write raises `seq` and is conditional on (uid, seq). */
export const taskRowSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  id: taskIdSchema,
  uid: uidSchema,
  seq: z.number().int().nonnegative(),
  /** The seq of the latest claim; 0 before the first. */
  fence: z.number().int().nonnegative(),
  type: taskTypeNameSchema,
  priority: prioritySchema,
  state: taskStateSchema,
  /** Not before, ms. */
  at: instantSchema,
  acceptedAt: instantSchema,
  hintedAt: instantSchema,
  expiresAt: instantSchema.optional(),
  /** SHA-256 of type and canonical payload, base64url: tells a repeated submission from another one. */
  hash: z.string(),
  payload: storedValueSchema,
  labels: labelsSchema.optional(),
  retry: retryOverrideSchema.optional(),
  notify: notifySchema.optional(),
  /** Handler runs that ended in a failure of their own, plus the success. */
  attempts: z.number().int().nonnegative(),
  lost: z.number().int().nonnegative(),
  throttled: z.number().int().nonnegative(),
  /** Attempts that crashed their handler, of those that counted; absent where none crashed at all. */
  crashes: z.number().int().nonnegative().optional(),
  /** What its next attempt is, where it is not the first. */
  again: againSchema.optional(),
  /** When the first attempt was claimed, ms, later by what it was held back since: what a retry policy's maximum age counts from. */
  firstClaimAt: instantSchema.optional(),
  run: runSchema.optional(),
  /** When the running task was asked to stop, ms. Whatever its attempt comes to but a success then ends it as cancelled. */
  cancelAt: instantSchema.optional(),
  /** When the running attempt was asked to make room, ms; the next claim takes it away. */
  preemptAt: instantSchema.optional(),
  /** Attempts that made room; absent where none did. */
  preempted: z.number().int().nonnegative().optional(),
  /** Where the next attempt may go on from: an item of its own, named by the attempt that left off there. */
  checkpoint: z.object({ fence: z.number().int().positive(), bytes: z.number().int() }).optional(),
  /** The generation that this one repeats, with the same payload. */
  retryOf: uidSchema.optional(),
  /** The redrive that made this generation. */
  redrive: uidSchema.optional(),
  /** The failed task that this one repeats with another payload, and the other way round. */
  redriveOf: z.object({ id: taskIdSchema, uid: uidSchema }).optional(),
  redrivenAs: z.object({ id: taskIdSchema, uid: uidSchema }).optional(),
  /** When the handler of the latest attempt began, ms, where it is known. */
  startedAt: instantSchema.optional(),
  result: storedValueSchema.optional(),
  error: taskErrorSchema.optional(),
  reason: endReasonSchema.optional(),
  endedAt: instantSchema.optional(),
  /** What ended it: an outcome record repeats the effects when it is repeated; after anything else the hint does. */
  endedBy: z.enum(['record', 'hint']).optional(),
  /** Until when its payload and attempts are kept at least, ms; absent where that is 180 days from `acceptedAt`. */
  keptUntil: instantSchema.optional(),
  /** Seconds since the epoch, after which the row may be deleted and its id is free. */
  ttl: z.number().int().optional(),
});
export type TaskRow = z.infer<typeof taskRowSchema>;

/** An attempt that did not succeed, or that succeeded too late: an item beside the row. */
export const attemptSchema = z.object({
  v: z.literal(1),
  uid: uidSchema,
  fence: z.number().int().positive(),
  class: outcomeClassSchema,
  claimedAt: instantSchema.optional(),
  startedAt: instantSchema.optional(),
  endedAt: instantSchema,
  error: taskErrorSchema.optional(),
  log: logPointerSchema.optional(),
  /** A success with an old fence, or after the end: recorded, without effect. */
  late: z.boolean().optional(),
});
export type Attempt = z.infer<typeof attemptSchema>;
