import * as z from 'zod';
import { instantSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';
import { resourceNameSchema } from './resource.ts';

/** States of a breaker: all attempts pass, none do, a few do as probes. */
export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;
export const breakerStateSchema = z.enum(BREAKER_STATES);
export type BreakerState = z.infer<typeof breakerStateSchema>;

/** What a breaker is of: `type:thumbnail`, or `resource:stripe-api`. */
export const breakerKeySchema = z
  .string()
  .regex(/^[a-z]+:[a-z0-9][a-z0-9._-]*$/, 'a breaker is named type:<task type> or resource:<resource>');

/** The breaker of a task type. */
export function breakerKey(type: string): string {
  return `type:${taskTypeNameSchema.parse(type)}`;
}

/** The breaker of a resource: of all types that draw on it. */
export function resourceBreakerKey(resource: string): string {
  return `resource:${resourceNameSchema.parse(resource)}`;
}

/** The first crash of a task: when its attempt began, and when it was heard of, ms. */
export const crashSchema = z.object({
  at: instantSchema,
  seen: instantSchema,
  tenant: tenantSchema,
  uid: uidSchema,
  /** Of the task; kept by the breakers of resources alone. */
  type: taskTypeNameSchema.optional(),
  /** Tasks that it stands for, where others close to it are no longer kept. @default 1 */
  n: z.number().int().positive().optional(),
});
export type Crash = z.infer<typeof crashSchema>;

/** What is known of the latest attempts, bounded: crashes one by one, the others counted by the second in which they began. */
export const evidenceSchema = z.object({
  crashes: z.array(crashSchema),
  /** [second, attempts that began in it and did not crash] */
  alive: z.array(z.tuple([z.number().int(), z.number().int()])),
  /** [tenant, when its latest attempt that did not crash began, ms] */
  tenants: z.array(z.tuple([tenantSchema, instantSchema])),
  /** About how long attempts that do not crash take, ms. */
  aliveMs: z.number().nonnegative().optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** A breaker as it is stored. Every write raises `seq` and is conditional on it. */
export const breakerSchema = z.object({
  v: z.literal(1),
  key: breakerKeySchema,
  seq: z.number().int().nonnegative(),
  state: breakerStateSchema,
  /** When this state began, or a probe of it last came to an end, ms. */
  since: instantSchema,
  /** Raised each time that it opens: tells the probes of one opening from those of another. */
  opening: z.number().int().nonnegative(),
  evidence: evidenceSchema,
  /** When it opened first, since it was closed, ms. */
  openedAt: instantSchema.optional(),
  /** When it closed last, ms: one that opens again soon begins with the pause that it had. */
  closedAt: instantSchema.optional(),
  /** ms between two probes. */
  pauseMs: z.number().int().nonnegative().optional(),
  /** No probe before that, ms. */
  probeAt: instantSchema.optional(),
  /** Waves that passed in this opening: the next one has 2 to the power of it. */
  wave: z.number().int().nonnegative().optional(),
  /** Probes of this wave that have ended. */
  ended: z.number().int().nonnegative().optional(),
  /** Probes of this opening that did not crash, and that did. */
  passed: z.number().int().nonnegative().optional(),
  crashed: z.number().int().nonnegative().optional(),
  /** Probes under way: [uid, when it counts as lost, ms]. */
  probes: z.array(z.tuple([uidSchema, instantSchema])).optional(),
  /** Tenants whose probes crashed since it opened first: others come before them. */
  shy: z.array(tenantSchema).optional(),
  /** Of a resource's breaker: the types whose probes crashed. */
  shyTypes: z.array(taskTypeNameSchema).optional(),
});
export type Breaker = z.infer<typeof breakerSchema>;
