import * as z from 'zod';

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
