import * as z from 'zod';
import { instantSchema, taskTypeNameSchema, tenantSchema } from './names.ts';

/** Stands for the tenant of what newcomers to a type draw on together; it is no tenant's name. */
export const ENTRY_TENANT = '~';

/**
 * What control has granted a lane of the capacities that it draws on, as it is stored: never less than its cells say. It is
 * written before a share is raised, and after it is lowered.
 */
export const grantSchema = z.object({
  v: z.literal(1),
  tenant: z.union([tenantSchema, z.literal(ENTRY_TENANT)]),
  type: taskTypeNameSchema,
  /** Attempts at once of each of its cells. */
  shares: z.array(z.number().int().nonnegative()),
  /** Whether it may draw on what is kept for newcomers while it has no share. */
  closed: z.literal(true).optional(),
  /** Since when it has had no work, ms. */
  idleSince: instantSchema.optional(),
});
export type Grant = z.infer<typeof grantSchema>;
