import * as z from 'zod';
import { breakerStateSchema } from './breaker.ts';
import { LIMITS } from './limits.ts';
import { PRIORITIES, taskTypeNameSchema, tenantSchema } from './names.ts';
import { wholeNumber } from './whole-number.ts';

const count = z.number().int().nonnegative();
const instant = z.iso.datetime({ offset: true });

/** What holds a lane back, in the order in which dispatch meets it; `open`: nothing does. */
export const LANE_WHYS = [
  'open',
  'type_missing',
  'breaker_open',
  'breaker_probing',
  'resource_missing',
  'no_share',
  'rate',
  'paused',
  'full',
  'reserved',
  'retry_budget',
] as const;
export const laneWhySchema = z.enum(LANE_WHYS);
export type LaneWhy = z.infer<typeof laneWhySchema>;

/**
 * What a lane's limit comes from: the type's `concurrency`; what the lane has found that is behind it takes (`adaptive`); the
 * capacity of its `type`, of a `resource` or of the tenant's `quota`, which is used up; or its `share` of them, of which
 * there is more when it needs more.
 */
export const LANE_LIMITERS = ['concurrency', 'adaptive', 'type', 'resource', 'quota', 'share'] as const;
export const laneLimiterSchema = z.enum(LANE_LIMITERS);
export type LaneLimiter = z.infer<typeof laneLimiterSchema>;

/** Tasks that wait in one place. */
export const waitingSchema = z.object({
  tasks: count,
  /** There are more than were counted. */
  more: z.boolean(),
  /** When the one that waits longest was due; absent where none waits. */
  oldestDueAt: instant.optional(),
  oldestAgeSeconds: count.optional(),
});
export type Waiting = z.infer<typeof waitingSchema>;

const fields = {
  tenant: tenantSchema,
  type: taskTypeNameSchema,
  /** Attempts that hold a permit of the lane. */
  inFlight: count,
  /** How many may hold one now. What pauses, holds back or paces the lane comes on top. */
  limit: count,
  /** What makes that limit; absent where the type is not deployed. */
  limitedBy: z
    .object({
      by: laneLimiterSchema,
      /** Of the type, the resource or the tenant whose capacity it is. */
      name: z.string().optional(),
    })
    .optional(),
  /** Tasks in the lane's backlog. */
  waiting: waitingSchema,
  /** The state of the breaker that holds it, of its type or one of the type's resources; `closed` where none does. */
  breaker: breakerStateSchema,
  /** Why it starts no more than it does, or that nothing holds it back. */
  why: z.object({
    code: laneWhySchema,
    message: z.string(),
    /** When that is over at the earliest, where it is known. */
    until: instant.optional(),
  }),
};

/** A lane, as one row of a list. */
export const laneSummarySchema = z.object(fields);
export type LaneSummary = z.infer<typeof laneSummarySchema>;

/** A capacity that a lane draws on. */
export const laneCapacitySchema = z.object({
  by: z.enum(['type', 'resource', 'quota']),
  name: z.string(),
  /** Attempts at once, of all lanes that draw on it; absent for a resource that is not deployed. */
  attempts: count.optional(),
  /** How many of them are given to lanes, and to newcomers. */
  given: count,
});
export type LaneCapacity = z.infer<typeof laneCapacitySchema>;

/** A lane, and all that makes its limit. */
export const laneViewSchema = z.object({
  ...fields,
  limits: z.object({
    /** Of the type; absent where it is not deployed. */
    concurrency: count.optional(),
    /** What the lane has found that is behind it takes; absent for a type that does not look for it. */
    adaptive: count.optional(),
    /** What it was given of its capacities; absent where it draws on none, or was given nothing yet. */
    share: count.optional(),
    capacities: z.array(laneCapacitySchema),
    /** Starts in windows of time, and when the next one may be where that is not now. */
    rates: z.array(z.object({ limit: count, perSeconds: count })),
    /** The same of what it was given of the rates of its resources; absent where they have none, or it was given nothing yet. */
    resourceRates: z.array(z.object({ limit: count, perSeconds: count })).optional(),
    nextStartAt: instant.optional(),
    /** Retries that it may start now. */
    retries: count,
  }),
  waitingByClass: z.object(
    Object.fromEntries(PRIORITIES.map((priority) => [priority, waitingSchema])) as Record<
      (typeof PRIORITIES)[number],
      typeof waitingSchema
    >,
  ),
  /** Retries that wait for the lane's budget; they are counted in `waiting` and in no class. */
  waitingForBudget: waitingSchema,
});
export type LaneView = z.infer<typeof laneViewSchema>;

const cursorSchema = z.string().min(1).max(400);
/** Another tenant than that of the credentials, or `*` for all: for the scope `platform`. */
const laneTenantSchema = z.union([z.literal('*'), tenantSchema]);

export const laneListQuerySchema = z.strictObject({
  tenant: laneTenantSchema.optional(),
  type: taskTypeNameSchema.optional(),
  /** Those alone that have a backlog. */
  waiting: z.enum(['true', 'false']).optional(),
  limit: wholeNumber(LIMITS.lanePage).optional(),
  cursor: cursorSchema.optional(),
});
export type LaneListQuery = z.infer<typeof laneListQuerySchema>;
export const laneQuerySchema = z.strictObject({ tenant: tenantSchema.optional() });
export type LaneQuery = z.infer<typeof laneQuerySchema>;

/** By tenant and type. `cursor` is there while there may be more: a page may be empty and yet have one. */
export const laneListSchema = z.object({ lanes: z.array(laneSummarySchema), cursor: cursorSchema.optional() });
export type LaneList = z.infer<typeof laneListSchema>;
