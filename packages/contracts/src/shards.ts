import * as z from 'zod';
import { prioritySchema, tenantSchema } from './names.ts';
import { dedicatedStateSchema } from './routing.ts';

const count = z.number().int().nonnegative();
const instant = z.iso.datetime({ offset: true });

/** Queues that one tenant has for itself, as an operator sees them. */
export const dedicatedViewSchema = z.object({
  tenant: tenantSchema,
  /** The end of the names of its queues: `d7` for `<name>-high-d7` and the others. */
  shard: z.string().regex(/^d\d+$/),
  state: dedicatedStateSchema,
  /** When this state began. */
  since: instant,
});
export const movedViewSchema = z.object({ tenant: tenantSchema, shards: z.array(count), since: instant });

/** How tenants are spread over the shard queues. */
export const shardMapSchema = z.object({
  /** Shard queues of each priority (N), and how many of them a tenant is spread over (k). */
  shards: count,
  shardsPerTenant: count,
  /** Different shuffle shards: C(N, k). */
  combinations: z.number().positive(),
  /** The probability that another tenant shares all k queues with a given one: 1 / C(N, k). */
  chanceOfSharingAll: z.number(),
  /** Tenants that are known: they have, or had, a token or a quota, or are routed in a way of their own. */
  tenants: count,
  /** By shard, how many of them have it in their shuffle shard. */
  tenantsOfShard: z.array(count),
  dedicated: z.array(dedicatedViewSchema),
  moved: z.array(movedViewSchema),
  /** Messages that were visible in the shard queues, by shard, when they were last looked at; absent while all are about empty. */
  depths: z.object({ at: instant, high: z.array(count), normal: z.array(count), low: z.array(count) }).optional(),
});
export type ShardMap = z.infer<typeof shardMapSchema>;

/** Where one tenant's work goes, and who shares it. */
export const tenantShardsSchema = z.object({
  tenant: tenantSchema,
  /** Its shuffle shard: what its name alone says. */
  shards: z.array(count),
  /** The names of the queues that its next hints go to, by priority; dedicated ones, where it has some. */
  queues: z.record(prioritySchema, z.array(z.string())),
  dedicated: dedicatedViewSchema.optional(),
  moved: movedViewSchema.optional(),
  /** Of the other tenants that are known, exactly how many share so many of its k shard queues, from 0 to k. */
  sharing: z.array(count),
  /** How many are expected to share all of them: (tenants - 1) / C(N, k). */
  expectedSharingAll: z.number(),
});
export type TenantShards = z.infer<typeof tenantShardsSchema>;
