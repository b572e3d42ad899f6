import * as z from 'zod';
import { outcomeClassSchema, taskErrorSchema } from './attempt-end.ts';
import { instantSchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';

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
