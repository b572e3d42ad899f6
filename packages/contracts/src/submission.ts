import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { labelsSchema, prioritySchema, taskIdSchema, taskTypeNameSchema } from './names.ts';
import { notifySchema } from './notify.ts';
import { retryOverrideSchema } from './retry-policy.ts';
import { userTaskIdSchema, userTypeNameSchema } from './system.ts';

/** ISO 8601 with an offset. */
export const timeSchema = z.iso.datetime({ offset: true });

/** One task as a caller submits it. */
export const submissionSchema = z
  .strictObject({
    type: userTypeNameSchema,
    /** Any JSON value. */
    payload: z.unknown().optional(),
    /** Makes the submission repeatable: the same id is the same task. Without it each call is a new task. */
    id: userTaskIdSchema.optional(),
    priority: prioritySchema.optional(),
    /** Seconds to wait before the first attempt; not together with `runAt`. */
    delaySeconds: z.number().min(0).max(LIMITS.delaySeconds).optional(),
    /** Not before this time. In the past means now. */
    runAt: timeSchema.optional(),
    /** A task that has not started by then ends as `expired`. */
    expiresAt: timeSchema.optional(),
    retry: retryOverrideSchema.optional(),
    labels: labelsSchema.optional(),
    /** To whom the end is told. */
    notify: notifySchema.optional(),
  })
  .refine((s) => s.delaySeconds === undefined || s.runAt === undefined, 'give delaySeconds or runAt, not both');
export type Submission = z.infer<typeof submissionSchema>;

/** The same as the platform submits its own tasks: with the names that are reserved to it. */
export const systemSubmissionSchema = submissionSchema.safeExtend({ type: taskTypeNameSchema, id: taskIdSchema.optional() });

export const batchRequestSchema = z.strictObject({ tasks: z.array(z.unknown()).min(1) });
