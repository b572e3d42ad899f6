import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { instantSchema, labelsSchema, prioritySchema, taskIdSchema, tenantSchema, uidSchema } from './names.ts';
import { retryOverrideSchema } from './retry-policy.ts';
import { taskViewStateSchema } from './task-state.ts';
import { userTypeNameSchema } from './system.ts';
import { wholeNumber } from './whole-number.ts';

/** A schedule within its tenant. Its occurrences' tasks are `<name>@<time>`. */
export const scheduleNameSchema = z
  .string()
  .min(1)
  .max(LIMITS.scheduleNameLength)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'a schedule name is letters, digits, ".", "-" and "_" and begins with a letter or digit: choose another',
  );

export const SCHEDULE_STATES = ['active', 'paused', 'ended'] as const;
/** `ended`: no occurrence will come any more; an update may bring new ones. */
export const scheduleStateSchema = z.enum(SCHEDULE_STATES);
export type ScheduleState = z.infer<typeof scheduleStateSchema>;

export const OVERLAPS = ['allow', 'skip', 'buffer', 'cancel'] as const;
/**
 * What happens to an occurrence while a task of an earlier one has not ended: `allow` both, `skip` the new one, `buffer`
 * the new one until the earlier has ended (one at most, others are skipped), `cancel` the earlier one.
 */
export const overlapSchema = z.enum(OVERLAPS);
export type Overlap = z.infer<typeof overlapSchema>;

export const MISFIRES = ['skip', 'once', 'all'] as const;
/** What happens to occurrences that are more than a minute late: none of them runs, the last one, or the last `max`. */
export const misfireSchema = z
  .strictObject({
    policy: z.enum(MISFIRES),
    /** With `all`: how many at most, the newest of them, the oldest first. @default 10 */
    max: z.number().int().min(1).max(LIMITS.misfires).optional(),
  })
  .refine((m) => m.policy === 'all' || m.max === undefined, 'max goes with policy "all" alone: leave it out');
export type Misfire = z.infer<typeof misfireSchema>;

const instantText = z.iso.datetime({ offset: true });

const timing = {
  /** Five fields, or six with seconds in front. Exactly one of `cron` and `everySeconds`. */
  cron: z.string().min(1).max(LIMITS.cronLength).optional(),
  /** Seconds from one occurrence to the next, counted from `start`, or else from when it was first given. */
  everySeconds: z.number().int().min(1).max(LIMITS.scheduleEverySeconds).optional(),
  /** IANA name. @default UTC */
  timezone: z.string().min(1).max(64).optional(),
  /** No occurrence is before this time. */
  start: instantText.optional(),
  /** No occurrence is at or after this time. */
  end: instantText.optional(),
  /** Each occurrence comes up to so many seconds after its time, always the same for the same occurrence. @default 0 */
  jitterSeconds: z.number().int().min(0).max(LIMITS.jitterSeconds).optional(),
};

/** What each occurrence submits. */
export const scheduleTaskSchema = z.strictObject({
  type: userTypeNameSchema,
  /** Any JSON value, the same for each occurrence. */
  payload: z.unknown().optional(),
  priority: prioritySchema.optional(),
  labels: labelsSchema.optional(),
  retry: retryOverrideSchema.optional(),
  /** Seconds: a task that has not started by then ends as `expired`. */
  expiresAfterSeconds: z.number().int().min(1).max(LIMITS.delaySeconds).optional(),
});
export type ScheduleTask = z.infer<typeof scheduleTaskSchema>;

const policies = {
  /** @default allow */
  overlap: overlapSchema.optional(),
  /** @default once */
  misfire: misfireSchema.optional(),
  /** @default on creation false, on an update as it is */
  paused: z.boolean().optional(),
};

const oneTiming = (s: { cron?: string | undefined; everySeconds?: number | undefined }): boolean =>
  (s.cron === undefined) !== (s.everySeconds === undefined);
const ONE_TIMING = 'give cron or everySeconds, one of them';

/** A schedule as a caller gives it. */
export const scheduleRequestSchema = z
  .strictObject({ ...timing, ...policies, task: scheduleTaskSchema })
  .refine(oneTiming, { error: ONE_TIMING });
export type ScheduleRequest = z.infer<typeof scheduleRequestSchema>;

/** A schedule that is not stored, and how many of its next times to tell. What is not about times is left unused. */
export const previewRequestSchema = z
  .strictObject({
    ...timing,
    ...policies,
    task: scheduleTaskSchema.optional(),
    /** @default 5 */
    n: z.number().int().min(1).max(LIMITS.previewTimes).optional(),
  })
  .refine(oneTiming, { error: ONE_TIMING });
export type PreviewRequest = z.infer<typeof previewRequestSchema>;

export const previewQuerySchema = z.strictObject({
  /** How many. @default 5 */
  n: wholeNumber(LIMITS.previewTimes).optional(),
});

export const previewSchema = z.object({
  times: z.array(
    z.object({
      at: instantText,
      /** The same instant as clocks show it in the schedule's zone. */
      local: instantText,
    }),
  ),
});
export type Preview = z.infer<typeof previewSchema>;

export const OCCURRENCE_ENDS = ['submitted', 'skipped', 'waiting', 'missed', 'failed', 'run'] as const;
/**
 * What became of an occurrence: `submitted`; `skipped` by the overlap policy; `waiting` by it; `missed`, by the misfire
 * policy; `failed`, its task was refused. `run` is not an occurrence: somebody asked for it.
 */
export const occurrenceEndSchema = z.enum(OCCURRENCE_ENDS);
export type OccurrenceEnd = z.infer<typeof occurrenceEndSchema>;

const occurrenceFields = {
  did: occurrenceEndSchema,
  task: taskIdSchema.optional(),
  /** Of `missed`: how many, this one the last of them. */
  count: z.number().int().positive().optional(),
  reason: z.string().optional(),
};

/** An occurrence as it is stored. */
export const occurrenceSchema = z.object({ at: instantSchema, decidedAt: instantSchema, ...occurrenceFields });
export type Occurrence = z.infer<typeof occurrenceSchema>;

const counts = z.object({
  submitted: z.number().int().nonnegative(),
  skipped: z.number().int().nonnegative(),
  /** At least: of what was missed at once no more than 10,000 are counted. */
  missed: z.number().int().nonnegative(),
  failed: z.number().int().nonnegative(),
});
export type ScheduleCounts = z.infer<typeof counts>;

/** What a schedule says, checked, with its defaults. */
export const scheduleSpecSchema = z.object({
  cron: z.string().optional(),
  everySeconds: z.number().int().positive().optional(),
  timezone: z.string(),
  start: instantSchema.optional(),
  end: instantSchema.optional(),
  jitterSeconds: z.number().int().nonnegative(),
  overlap: overlapSchema,
  misfire: z.object({ policy: z.enum(MISFIRES), max: z.number().int().positive().optional() }),
  /** {@link scheduleTaskSchema} as JSON text: a table keeps neither every double nor deep nesting. */
  task: z.string(),
});
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>;

/** A schedule as it is stored. Every write raises `seq` and is conditional on it. */
export const scheduleRecordSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  name: scheduleNameSchema,
  seq: z.number().int().positive(),
  /** Of the latest write, random: a write that is repeated knows itself. */
  by: z.string(),
  /** ULID. The chain of tasks that fires it; a new one with each change, so that those of the old one do nothing. */
  chain: uidSchema,
  state: scheduleStateSchema,
  spec: scheduleSpecSchema,
  /** ms: what `everySeconds` counts from. */
  anchor: instantSchema,
  createdAt: instantSchema,
  updatedAt: instantSchema,
  /** ms: occurrences up to this time are those of an earlier version: none but `next` and those in `owed`. */
  since: instantSchema,
  /** ms: the first occurrence that has not been decided; none when it has ended. */
  next: instantSchema.optional(),
  /** ms: more that have not been decided, of times that it had before, in order. */
  owed: z.array(instantSchema).optional(),
  /** ms: the occurrence that waits for an earlier one's end. */
  waiting: instantSchema.optional(),
  /** Tasks of it that had not ended when they were looked at last. */
  open: z.array(taskIdSchema),
  /** The newest first. */
  recent: z.array(occurrenceSchema),
  counts,
});
export type ScheduleRecord = z.infer<typeof scheduleRecordSchema>;

/** The payload of a `sluice.fire` task. */
export const firePayloadSchema = z.object({
  v: z.literal(1),
  name: scheduleNameSchema,
  chain: uidSchema,
  /** ms: the occurrence. */
  at: instantSchema,
  /** Steps still to go, where it is too far away for one task. */
  legs: z.number().int().positive().optional(),
  /** The occurrence is one that waits for the end of an earlier one. */
  waits: z.literal(true).optional(),
});
export type FirePayload = z.infer<typeof firePayloadSchema>;

/** A schedule as its tenant sees it. */
export const scheduleViewSchema = z.object({
  name: scheduleNameSchema,
  state: scheduleStateSchema,
  cron: z.string().optional(),
  everySeconds: z.number().int().optional(),
  timezone: z.string(),
  start: instantText.optional(),
  end: instantText.optional(),
  jitterSeconds: z.number().int(),
  overlap: overlapSchema,
  misfire: z.object({ policy: z.enum(MISFIRES), max: z.number().int().optional() }),
  task: scheduleTaskSchema,
  createdAt: instantText,
  updatedAt: instantText,
  /** The next times, without jitter; of one that is paused, if it were not. */
  nextRuns: z.array(instantText),
  /** The occurrence that waits for the end of an earlier one. */
  waiting: instantText.optional(),
  /** What became of the latest occurrences, the newest first. */
  recent: z.array(
    z.object({
      at: instantText,
      decidedAt: instantText,
      ...occurrenceFields,
      /** Of its task as it is now; only where one schedule is asked for. */
      state: taskViewStateSchema.optional(),
    }),
  ),
  counts,
});
export type ScheduleView = z.infer<typeof scheduleViewSchema>;

export const scheduleListQuerySchema = z.strictObject({
  /** Schedules on a page. @default 50 */
  limit: wholeNumber(LIMITS.listPage).optional(),
  /** Where the page before ended. */
  cursor: z.string().max(512).optional(),
});
export type ScheduleListQuery = z.infer<typeof scheduleListQuerySchema>;

/** A page of schedules by name. */
export const scheduleListSchema = z.object({ schedules: z.array(scheduleViewSchema), cursor: z.string().optional() });
export type ScheduleList = z.infer<typeof scheduleListSchema>;

export const runScheduleSchema = z.strictObject({
  /** Of the task: makes the call repeatable. @default the name, `@`, and what no other has */
  id: taskIdSchema.optional(),
});
export type RunSchedule = z.infer<typeof runScheduleSchema>;
