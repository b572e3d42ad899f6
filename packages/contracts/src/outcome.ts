import * as z from 'zod';
import { instantSchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';

/** What a failed attempt said. */
export const taskErrorSchema = z.object({
  name: z.string(),
  message: z.string(),
  stack: z.string().optional(),
  /** The HTTP status that something downstream answered with, where it is known. */
  status: z.number().int().min(100).max(599).optional(),
});
export type TaskError = z.infer<typeof taskErrorSchema>;

/** Where the log lines of an attempt are: a log group of CloudWatch, and the request id that each of its lines carries. */
export const logPointerSchema = z.object({ group: z.string(), requestId: z.string() });
export type LogPointer = z.infer<typeof logPointerSchema>;

/**
 * How an attempt ended.
 * - `succeeded`
 * - `retryable`, `fatal`: the handler ran and failed; the retry policy applies, or does not
 * - `crashed`: the handler's process ended before it could answer: an exit, no memory, a time-out, a failed start
 * - `throttled`: something downstream (or Lambda) asked to slow down; free of charge
 * - `preempted`: the handler stopped at a checkpoint because the platform asked it to; free of charge
 * - `undone`: the attempt never started; free of charge
 * - `impossible`: the attempt can't start, now or ever: its payload is gone
 * - `lost`: the lease ended and nothing is known; counted apart
 */
export const OUTCOME_CLASSES = [
  'succeeded',
  'retryable',
  'fatal',
  'crashed',
  'throttled',
  'preempted',
  'undone',
  'impossible',
  'lost',
] as const;
export const outcomeClassSchema = z.enum(OUTCOME_CLASSES);
export type OutcomeClass = z.infer<typeof outcomeClassSchema>;

/**
 * Marks an attempt as a probe of a breaker that is not closed: its end is told to the breaker, as long as that is still
 * in the same opening.
 */
export const breakerCanarySchema = z.object({ breaker: z.string().min(1), opening: z.number().int().nonnegative() });
export type BreakerCanary = z.infer<typeof breakerCanarySchema>;

/** What is known of an attempt's end: one type, whatever it came from. */
export const outcomeSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  id: taskIdSchema,
  uid: uidSchema,
  type: taskTypeNameSchema,
  fence: z.number().int().positive(),
  class: outcomeClassSchema,
  error: taskErrorSchema.optional(),
  /** The handler's result as JSON text. */
  result: z.string().optional(),
  /** Where the next attempt may go on from, as JSON text. */
  checkpoint: z.string().optional(),
  /** When it ended, ms. */
  at: instantSchema,
  /** When the handler began, ms, where it is known: the kit tells it, and the `wait` starter sees it. */
  startedAt: instantSchema.optional(),
  /** Milliseconds before which the task is not tried again. */
  retryAfterMs: z.number().int().nonnegative().optional(),
  /** The handler was invoked and this came back: the rules of the retry policy apply. */
  answered: z.boolean().optional(),
  canary: breakerCanarySchema.optional(),
  /** Lambda's id of the invocation, where there was one: its log lines carry it. */
  requestId: z.string().optional(),
  /** Handler runs that counted, this one included, as the envelope said it. */
  attempt: z.number().int().positive(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

/** What a handler is invoked with. */
export const envelopeSchema = z.object({
  payload: z.unknown().optional(),
  /** In place of `payload` for one that is kept in S3: a presigned URL to GET the JSON from. */
  payloadUrl: z.url().optional(),
  sluice: z.object({
    version: z.literal(1),
    tenant: tenantSchema,
    task: taskIdSchema,
    uid: uidSchema,
    type: taskTypeNameSchema,
    fence: z.number().int().positive(),
    /** Handler runs so far, this one counted. */
    attempt: z.number().int().positive(),
    /** Attempts so far that were throttled, and so not counted. */
    throttled: z.number().int().nonnegative().optional(),
    /** ms: when the attempt's time is over. */
    deadline: instantSchema,
    /** Where the attempt can ask whether it shall go on, and the key that it proves itself with. */
    control: z.object({ url: z.url(), key: z.string().min(1) }).optional(),
    canary: breakerCanarySchema.optional(),
    /** Where an earlier attempt of the task left off, as its handler said it. */
    checkpoint: z.unknown().optional(),
  }),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/**
 * What the handler kit answers with, so that an outcome can say more than a plain Lambda response: its class, when it
 * began, and when to try again. A plain handler's response is its result; a plain handler's error is classed by name.
 */
export const kitReplySchema = z.object({
  sluice: z.object({
    version: z.literal(1),
    class: z.enum(['succeeded', 'retryable', 'fatal', 'throttled', 'preempted']),
    startedAt: instantSchema,
    endedAt: instantSchema,
    error: taskErrorSchema.optional(),
    retryAfterMs: z.number().int().nonnegative().optional(),
    /** Where the next attempt may go on from: handed to it. */
    checkpoint: z.unknown().optional(),
  }),
  result: z.unknown().optional(),
});
export type KitReply = z.infer<typeof kitReplySchema>;

/** The record that Lambda sends to a destination of an asynchronous invocation. */
export const destinationRecordSchema = z.object({
  version: z.literal('1.0'),
  timestamp: z.string(),
  requestContext: z.object({
    requestId: z.string(),
    functionArn: z.string(),
    condition: z.string(),
    approximateInvokeCount: z.number(),
  }),
  requestPayload: envelopeSchema,
  responseContext: z
    .object({ statusCode: z.number(), executedVersion: z.string().optional(), functionError: z.string().optional() })
    .optional(),
  responsePayload: z.unknown().optional(),
});
export type DestinationRecord = z.infer<typeof destinationRecordSchema>;
