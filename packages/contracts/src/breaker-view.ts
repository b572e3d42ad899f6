import * as z from 'zod';
import { breakerKeySchema, breakerStateSchema } from './breaker.ts';
import { waitingSchema } from './lanes.ts';
import { tenantSchema } from './names.ts';

const count = z.number().int().nonnegative();
const instant = z.iso.datetime({ offset: true });

/** What a breaker has seen of the latest attempts: of a closed one what it remembers, else what it opened for. */
export const breakerWhySchema = z.object({
  message: z.string(),
  /** Different tasks whose attempts crashed. */
  crashedTasks: count,
  /** Tenants whose tasks crashed, ten at most. */
  tenants: z.array(tenantSchema),
  /** When the first of these attempts began, and when a crash was heard of last. */
  from: instant.optional(),
  to: instant.optional(),
  /** Attempts that began since the first of them and did not crash. */
  otherAttempts: count,
});
export type BreakerWhy = z.infer<typeof breakerWhySchema>;

/** A breaker, as an operator sees it. */
export const breakerViewSchema = z.object({
  breaker: breakerKeySchema,
  state: breakerStateSchema,
  /** When this state began, or a probe of it last came to an end; absent for one that has never seen a crash. */
  since: instant.optional(),
  /** When it opened first, since it was closed. */
  openedAt: instant.optional(),
  /** Of an open one: no probe before that. */
  nextProbeAt: instant.optional(),
  /** Of a half-open one: attempts that may be under way at once as probes, and that are; how many probes did not crash, and did. */
  probes: z.object({ atOnce: count, underWay: count, passed: count, crashed: count }).optional(),
  why: breakerWhySchema,
  /** Tasks in the backlogs of the lanes that it holds; of a closed one none. */
  held: z.object({ ...waitingSchema.shape, lanes: count }),
});
export type BreakerView = z.infer<typeof breakerViewSchema>;

export const breakerListQuerySchema = z.strictObject({ state: breakerStateSchema.optional() });
export type BreakerListQuery = z.infer<typeof breakerListQuerySchema>;
/** Those that are not closed first, then by name. */
export const breakerListSchema = z.object({ breakers: z.array(breakerViewSchema) });
export type BreakerList = z.infer<typeof breakerListSchema>;
