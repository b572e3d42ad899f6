import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { retryRulesSchema, taskRulesSchema } from './retry-rules.ts';

/**
 * When a failed attempt is tried again: exponential backoff with full jitter between `minDelaySeconds` and the
 * exponential, capped (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
 */
export const retryPolicySchema = z
  .object({
    /** Handler runs at most, the first one counted; 1 to 100. Throttled and lost ones are not counted. */
    maxAttempts: z.number().int().min(1).max(LIMITS.attempts).default(5),
    /** Seconds; the floor of every delay, and what the exponential multiplies: with 0 there is no delay at all. */
    minDelaySeconds: z.number().min(0).max(86_400).default(1),
    /** Seconds; the cap of every delay. */
    maxDelaySeconds: z
      .number()
      .min(0)
      .max(7 * 86_400)
      .default(900),
    /** The base of the exponential; the n-th delay is at most minDelaySeconds × factor^n. */
    factor: z.number().min(1).max(10).default(2),
    /** Seconds from the first start, without those in which it was held back, after which a failure is final. */
    maxAgeSeconds: z.number().int().positive().optional(),
    /** What failures are taken for, the first rule that fits. @default the platform's table alone */
    rules: retryRulesSchema.optional(),
  })
  .refine((p) => p.minDelaySeconds <= p.maxDelaySeconds, 'minDelaySeconds must not exceed maxDelaySeconds');
export type RetryPolicy = z.infer<typeof retryPolicySchema>;

/** What a submission may override; what it leaves out is the type's. */
export const retryOverrideSchema = z
  .strictObject({
    maxAttempts: z.number().int().min(1).max(LIMITS.attempts).optional(),
    minDelaySeconds: z.number().min(0).max(86_400).optional(),
    maxDelaySeconds: z
      .number()
      .min(0)
      .max(7 * 86_400)
      .optional(),
    factor: z.number().min(1).max(10).optional(),
    maxAgeSeconds: z.number().int().positive().optional(),
    /** Come before the type's; together at most 512 bytes as JSON. */
    rules: taskRulesSchema.optional(),
  })
  .refine(
    (p) => p.minDelaySeconds === undefined || p.maxDelaySeconds === undefined || p.minDelaySeconds <= p.maxDelaySeconds,
    'minDelaySeconds must not exceed maxDelaySeconds',
  );
export type RetryOverride = z.infer<typeof retryOverrideSchema>;
