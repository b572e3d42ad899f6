import * as z from 'zod';
import { LIMITS } from './limits.ts';

/** Starts of a lane in a window of time. */
export const rateSchema = z.strictObject({
  /** Starts in each window, and at once after a rest. */
  limit: z.number().int().min(1).max(LIMITS.rateLimit),
  /** Seconds of the window. */
  perSeconds: z.number().int().min(1).max(LIMITS.ratePerSeconds),
});

/** All of them hold at once. */
export const ratesSchema = z
  .array(rateSchema)
  .min(1, 'at least one rate; leave it out where there is none')
  .max(LIMITS.rates, {
    error: ({ input }) => `there are ${(input as unknown[]).length} rates and at most ${LIMITS.rates} are allowed: one for each window`,
  })
  .refine(
    (rates) => new Set(rates.map(({ perSeconds }) => perSeconds)).size === rates.length,
    'two rates have the same window: keep the lower one',
  );

/** How a lane finds the capacity of what is behind it; what is left out is derived in docs/concurrency.md. */
export const adaptiveSchema = z.union([
  z.literal(false),
  z.strictObject({
    /** Attempts at once that a new lane begins with. @default 10 */
    start: z.number().int().min(1).max(LIMITS.concurrency).optional(),
    /** Throttled attempts in a window without which the limit is not lowered. @default 3 */
    signals: z.number().int().min(1).max(1_000).optional(),
    /** Of the attempts that end in a window, the throttled share from which it is. @default 2 */
    percent: z.number().min(0.1).max(100).optional(),
    /** Seconds of the window. @default 10 */
    windowSeconds: z.number().int().min(1).max(3_600).optional(),
    /** What the limit is multiplied by when it is lowered for little. @default 0.9 */
    decrease: z.number().min(0.5).max(0.99).optional(),
    /** Seconds from the claim of an event to its start that count as throttled, where the kit tells the start. @default 10 */
    startDelaySeconds: z.number().min(1).max(60).optional(),
  }),
]);
