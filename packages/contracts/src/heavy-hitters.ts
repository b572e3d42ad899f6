import * as z from 'zod';
import { admissionCodeSchema } from './admission.ts';
import { LIMITS } from './limits.ts';
import { tenantSchema } from './names.ts';
import { wholeNumber } from './whole-number.ts';

const amount = z.number().nonnegative();

export const heavyHittersQuerySchema = z.strictObject({ limit: wholeNumber(LIMITS.heavyHitters).optional() });
export type HeavyHittersQuery = z.infer<typeof heavyHittersQuerySchema>;

const heavyHitterSchema = z.object({
  tenant: tenantSchema,
  offeredPerSecond: amount,
  refusedPerSecond: amount,
  /** Of all that is submitted, 0 to 1. */
  share: z.number().min(0).max(1),
  /** What is refused of it now: why, and which part. */
  refusing: z.object({ code: admissionCodeSchema, part: z.number().min(0).max(1) }).optional(),
});

/** Who submits most, tasks a second. */
export const heavyHittersSchema = z.object({
  /** When it was put together; absent where nothing was lately. */
  at: z.iso.datetime({ offset: true }).optional(),
  offeredPerSecond: amount,
  refusedPerSecond: amount,
  /** Whether the shared system is pressed, so that tenants above their fair share are refused. */
  pressed: z.boolean(),
  /** How much is to be admitted while it is. */
  targetPerSecond: amount.optional(),
  /** The largest first. */
  tenants: z.array(heavyHitterSchema),
});
export type HeavyHitters = z.infer<typeof heavyHittersSchema>;
