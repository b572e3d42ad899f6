import * as z from 'zod';
import { instantSchema, taskTypeNameSchema, tenantSchema } from './names.ts';

/** "What the shares are divided by has changed": a lane began to work, or a quota was set. Which, for logs alone. */
export const divideMessageSchema = z.object({
  v: z.literal(1),
  kind: z.literal('divide'),
  made: instantSchema,
  tenant: tenantSchema.optional(),
  type: taskTypeNameSchema.optional(),
});

/** "Much is submitted": environments of submit told what they saw, and nobody has put it together for some seconds. */
export const admissionMessageSchema = z.object({ v: z.literal(1), kind: z.literal('admission'), made: instantSchema });

/**
 * A message of the control queue: something that control should look at now rather than within a minute. It is never more
 * than that; lost, it costs up to a minute. A new version is a new member of the union; old members stay.
 */
export const controlMessageSchema = z.discriminatedUnion('kind', [divideMessageSchema, admissionMessageSchema]);
export type ControlMessage = z.infer<typeof controlMessageSchema>;
