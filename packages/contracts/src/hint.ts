import * as z from 'zod';
import { instantSchema, prioritySchema, taskIdSchema, taskTypeNameSchema, tenantSchema, uidSchema } from './names.ts';

/**
 * What a task's next attempt is, where it is not its first: `retry`, after an attempt that counted, for which the lane's
 * retry budget is asked; `free`, after one that did not.
 */
export const againSchema = z.enum(['retry', 'free']);
export type Again = z.infer<typeof againSchema>;

/**
 * One task that a hint names, with what dispatch needs in order to act without reading the row first. The row is the
 * truth; nothing here is more than a copy of it at the time the hint was made.
 */
export const hintedTaskSchema = z.object({
  id: taskIdSchema,
  uid: uidSchema,
  /** The row's seq that this hint is for: equal is acted on, lower dropped, higher given back. */
  seq: z.number().int().nonnegative(),
  /** Not before this time, ms. */
  at: instantSchema,
  /** When the hint was made, ms: one that finds no row is kept until 60 s after it. */
  made: instantSchema,
  type: taskTypeNameSchema,
  priority: prioritySchema,
  expiresAt: instantSchema.optional(),
  /** Made for the end of a lease, or after something about it failed: its row is read before anything else. */
  look: z.boolean().optional(),
  again: againSchema.optional(),
});
export type HintedTask = z.infer<typeof hintedTaskSchema>;

/** "Look at these tasks, not before their time." */
export const taskHintSchema = z.object({
  v: z.literal(1),
  kind: z.literal('tasks'),
  tenant: tenantSchema,
  tasks: z.array(hintedTaskSchema).min(1).max(500),
});
export type TaskHint = z.infer<typeof taskHintSchema>;

/** "This lane has permits, and a backlog." */
export const laneHintSchema = z.object({
  v: z.literal(1),
  kind: z.literal('lane'),
  tenant: tenantSchema,
  made: instantSchema,
  type: taskTypeNameSchema,
});
export type LaneHint = z.infer<typeof laneHintSchema>;

/** A message of the shard queues. A new version is a new member of the union; old members stay. */
export const hintMessageSchema = z.discriminatedUnion('kind', [taskHintSchema, laneHintSchema]);
export type HintMessage = z.infer<typeof hintMessageSchema>;
