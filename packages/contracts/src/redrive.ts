import * as z from 'zod';
import { timeSchema } from './submission.ts';
import { deadFilterSchema, deadTaskSchema, generationSchema } from './dead.ts';
import { LIMITS } from './limits.ts';
import { instantSchema, taskIdSchema, tenantSchema, uidSchema } from './names.ts';
import { wholeNumber } from './whole-number.ts';

/** A first wave that is watched before the rest goes on. */
export const canarySchema = z.strictObject({
  /** Tasks of the wave. */
  tasks: z.number().int().min(1).max(LIMITS.canaryTasks),
  /** More than this share of the wave failed: the redrive stops. 0: at the first failure. */
  maxFailureShare: z.number().min(0).max(1),
  /** Seconds until which the wave is waited for; what has not ended by then counts as not failed. */
  waitSeconds: z.number().int().min(1).max(LIMITS.canaryWaitSeconds),
});
export type Canary = z.infer<typeof canarySchema>;

/** Which dead tasks to run again, and how. */
export const redriveRequestSchema = z
  .strictObject({
    /** Makes the call repeatable: the same id is the same redrive. A ULID. @default a new one */
    id: uidSchema.optional(),
    filter: deadFilterSchema.optional(),
    /** Tasks by their ids, in place of a filter. */
    ids: z
      .array(taskIdSchema)
      .min(1)
      .max(LIMITS.redriveIds, {
        error: ({ input }) =>
          `there are ${(input as unknown[]).length} ids and at most ${LIMITS.redriveIds} are allowed: send them in redrives of their own, or use a filter`,
      })
      .optional(),
    /** Only says what would be redriven. @default false */
    dryRun: z.boolean().optional(),
    /** Tasks a second, at most. @default 50 */
    ratePerSecond: z.number().int().min(1).max(LIMITS.redriveRate).optional(),
    canary: canarySchema.optional(),
    /** Tasks to redrive at most. @default all */
    limit: z.number().int().min(1).optional(),
  })
  .refine((given) => (given.filter === undefined) !== (given.ids === undefined), {
    error: 'give either filter or ids; {"filter": {}} is all dead tasks',
  });
export type RedriveRequest = z.infer<typeof redriveRequestSchema>;

/** What a redrive would do. */
export const redrivePlanSchema = z.object({
  dryRun: z.literal(true),
  /** Dead tasks that fit: all of them, unless there are `more`. */
  count: z.number().int(),
  /** The call has looked at as many as one may. */
  more: z.boolean(),
  byType: z.record(z.string(), z.number().int()),
  /** By the error's name. */
  byError: z.record(z.string(), z.number().int()),
  /** The first of them. */
  sample: z.array(deadTaskSchema),
});
export type RedrivePlan = z.infer<typeof redrivePlanSchema>;

/**
 * States of a redrive.
 * - `canary`: the first wave is redriven, or watched
 * - `running`: the rest is redriven
 * - `paused`: until somebody resumes it
 * - `done`: all that fitted have been looked at
 * - `stopped`: too many of the first wave failed
 * - `cancelled`: somebody cancelled it
 */
export const REDRIVE_STATES = ['canary', 'running', 'paused', 'done', 'stopped', 'cancelled'] as const;
export const redriveStateSchema = z.enum(REDRIVE_STATES);
export type RedriveState = z.infer<typeof redriveStateSchema>;

const count = z.number().int().nonnegative();

/** How a redrive's first wave has ended so far. */
export const canaryResultSchema = z.object({ redriven: count, succeeded: count, failed: count, unfinished: count });
export type CanaryResult = z.infer<typeof canaryResultSchema>;

const progress = {
  /** Dead tasks looked at. */
  scanned: count,
  /** Those that fitted. */
  matched: count,
  /** Those that run again. */
  redriven: count,
  /** Those that somebody else had redriven, or that were gone, when their turn came. */
  skipped: count,
  /** Those that could not be redriven, by the code of the error. */
  failed: z.record(z.string(), count),
};

/** A redrive by filter or by ids. */
export const redriveSchema = z.object({
  id: uidSchema,
  state: redriveStateSchema,
  /** Why it stopped. */
  reason: z.string().optional(),
  /** Nothing drives it any more, since its own task has failed; resume it. */
  stalled: z.boolean().optional(),
  filter: deadFilterSchema.optional(),
  /** How many ids were given. */
  ids: z.number().int().optional(),
  ratePerSecond: z.number().int(),
  limit: z.number().int().optional(),
  canary: canarySchema.extend({ result: canaryResultSchema.optional() }).optional(),
  ...progress,
  createdAt: timeSchema,
  updatedAt: timeSchema,
  endedAt: timeSchema.optional(),
});
export type Redrive = z.infer<typeof redriveSchema>;

export const listRedrivesQuerySchema = z.strictObject({
  /** Redrives on a page. @default 20 */
  limit: wholeNumber(LIMITS.redrivePage).optional(),
  /** Where the page before ended: the id of its last redrive. */
  cursor: uidSchema.optional(),
});
export type RedriveQuery = z.infer<typeof listRedrivesQuerySchema>;

/** A page of redrives, the newest first. */
export const redriveListSchema = z.object({ redrives: z.array(redriveSchema), cursor: uidSchema.optional() });
export type RedriveList = z.infer<typeof redriveListSchema>;

/** A redrive as it is stored: where it stands, and what it is about to do. */
export const redriveRecordSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  id: uidSchema,
  /** Every write raises it and is conditional on it. */
  version: count,
  /** Of the request, to tell a repeat from another one. */
  hash: z.string(),
  filter: deadFilterSchema.optional(),
  ids: z.array(taskIdSchema).optional(),
  ratePerSecond: z.number().int(),
  limit: z.number().int().optional(),
  canary: canarySchema.optional(),
  state: redriveStateSchema,
  /** The state that a paused one goes back to. */
  pausedIn: z.enum(['canary', 'running']).optional(),
  reason: z.string().optional(),
  /** The number of the latest slice: older ones give way. */
  slice: count,
  /** Random: of the run of that slice which took over last, and of the latest write, which knows itself by it. */
  run: z.string(),
  nonce: z.string(),
  /** Everything from this place on has been looked at; absent at the beginning. Of one by ids: how many. */
  position: z.string().optional(),
  /** The tasks whose turn it is, written down before they are redriven: so that a crash neither loses nor repeats one. */
  page: z.array(generationSchema),
  /** All has been looked at, once `page` is done. */
  exhausted: z.boolean(),
  /** Ids of the first wave's tasks, and until when they are waited for, ms. */
  wave: z.array(taskIdSchema).optional(),
  watchUntil: instantSchema.optional(),
  waveResult: canaryResultSchema.optional(),
  ...progress,
  createdAt: instantSchema,
  updatedAt: instantSchema,
  endedAt: instantSchema.optional(),
});
export type RedriveRecord = z.infer<typeof redriveRecordSchema>;

/** The payload of a slice: a system task that redrives for up to 40 s. */
export const redriveSliceSchema = z.object({ v: z.literal(1), redrive: uidSchema, slice: z.number().int().positive() });
export type RedriveSlice = z.infer<typeof redriveSliceSchema>;
