import * as z from 'zod';
import { instantSchema, tenantSchema } from './names.ts';

/** States of a dedicated queue; only in `active` its tenant is routed to it. In all but `creating` it is consumed. */
export const DEDICATED_STATES = ['creating', 'active', 'draining', 'closing'] as const;
export const dedicatedStateSchema = z.enum(DEDICATED_STATES);
export type DedicatedState = z.infer<typeof dedicatedStateSchema>;

/** The queues that one tenant has for itself, one of each priority. */
export const dedicatedSchema = z.object({
  tenant: tenantSchema,
  /** Names the queues; never given again. */
  generation: z.number().int().positive(),
  state: dedicatedStateSchema,
  /** When this state began, ms. */
  since: instantSchema,
  /** Since when every reading has found them idle (`active`) or empty (`draining`), ms. */
  quietSince: instantSchema.optional(),
});
export type Dedicated = z.infer<typeof dedicatedSchema>;

/** A tenant that waits badly and was moved off shard queues that another has filled. */
export const movedSchema = z.object({
  tenant: tenantSchema,
  shards: z.array(z.number().int().nonnegative()).min(1).max(64),
  since: instantSchema,
  /** Since when every reading has found the shard queues of its own calm, ms. */
  quietSince: instantSchema.optional(),
});
export type Moved = z.infer<typeof movedSchema>;

/** A tenant that was found to keep shared queues busy, in so many readings one after the other. */
export const suspectSchema = z.object({ tenant: tenantSchema, since: instantSchema, seen: z.number().int().positive() });
export type Suspect = z.infer<typeof suspectSchema>;

/** Messages that were visible in the shard queues at that time, by shard; absent while all are about empty. */
export const depthsSchema = z.object({
  at: instantSchema,
  high: z.array(z.number().int().nonnegative()),
  normal: z.array(z.number().int().nonnegative()),
  low: z.array(z.number().int().nonnegative()),
});
export type Depths = z.infer<typeof depthsSchema>;

/** Where tenants are routed in another way than by their names alone. Every write raises `version` and is conditional on it. */
export const routingDocumentSchema = z.object({
  v: z.literal(1),
  version: z.number().int().nonnegative(),
  /** The greatest generation that was ever given to a dedicated queue. */
  generations: z.number().int().nonnegative(),
  dedicated: z.array(dedicatedSchema).max(100),
  moved: z.array(movedSchema).max(500),
  suspects: z.array(suspectSchema).max(100),
  depths: depthsSchema.optional(),
});
export type RoutingDocument = z.infer<typeof routingDocumentSchema>;
