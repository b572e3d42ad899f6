import * as z from 'zod';
import { adaptiveSchema, ratesSchema } from './lane-limits.ts';
import { LIMITS } from './limits.ts';

/** A resource: something downstream with a capacity of its own, which task types draw on. */
export const resourceNameSchema = z
  .string()
  .max(LIMITS.resourceNameLength)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'a resource is lower-case letters, digits, ".", "-" and "_"');

/** A resource as the platform knows it: written to the table by the `Resource` construct's custom resource at deploy time. */
export const resourceSpecSchema = z.object({
  v: z.literal(1),
  resource: resourceNameSchema,
  /** Attempts at once, of all types and tenants that draw on it together. */
  concurrency: z.number().int().min(1).max(LIMITS.capacity),
  /** Starts of all of them together in windows of time, which hold at once. */
  rates: ratesSchema.optional(),
  /** How the lanes of a type that says nothing of it find the capacity behind them. @default as for a type without resources */
  adaptive: adaptiveSchema.optional(),
});
export type ResourceSpec = z.infer<typeof resourceSpecSchema>;
