import * as z from 'zod';
import { endReasonSchema } from './row.ts';
import { TERMINAL_STATES } from './task-state.ts';
import { labelsSchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';
import { taskErrorSchema } from './attempt-end.ts';

/** The `source` of every event on the platform's bus. */
export const EVENT_SOURCE = 'sluice';

/** The detail of a `task.<state>` event. Delivered at least once; `eventId` is the same for each copy. */
export const taskEventSchema = z.object({
  v: z.literal(1),
  eventId: z.string(),
  tenant: tenantSchema,
  id: taskIdSchema,
  uid: uidSchema,
  type: taskTypeNameSchema,
  state: z.enum([...TERMINAL_STATES, 'late_success']),
  reason: endReasonSchema.optional(),
  attempts: z.number().int(),
  error: taskErrorSchema.optional(),
  labels: labelsSchema.optional(),
  at: z.iso.datetime(),
});
export type TaskEvent = z.infer<typeof taskEventSchema>;
