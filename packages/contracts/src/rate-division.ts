import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { instantSchema, taskTypeNameSchema, tenantSchema } from './names.ts';
import { resourceNameSchema } from './resource.ts';

const perSeconds = z.number().int().min(1).max(LIMITS.ratePerSeconds);

/**
 * What control has given a lane of the rates of its resources, as it is stored: never less than its cell says. It is written before a
 * part is raised, and after it is lowered.
 */
export const rateGrantSchema = z.object({
  v: z.literal(1),
  tenant: tenantSchema,
  type: taskTypeNameSchema,
  /** Of each length of window one, the least of those of its resources. */
  rates: z.array(z.object({ limit: z.number().int().nonnegative(), perSeconds })),
});
export type RateGrant = z.infer<typeof rateGrantSchema>;

/**
 * What a resource's rates have left that no lane has, as it is stored: never more than that. It is written before a part of it is
 * given to a lane, and after a lane has given one back.
 */
export const rateRestSchema = z.object({
  v: z.literal(1),
  resource: resourceNameSchema,
  /** ms: as of when. */
  at: instantSchema,
  windows: z.array(
    z.object({
      perSeconds,
      /** How much of the limit is nobody's. */
      free: z.number().int().nonnegative(),
      /** Starts that it had left then. */
      tokens: z.number().nonnegative(),
    }),
  ),
});
export type RateRest = z.infer<typeof rateRestSchema>;
