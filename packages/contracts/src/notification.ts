import * as z from 'zod';
import { taskEventSchema } from './event.ts';
import { tenantSchema } from './names.ts';
import { notificationQueueNameSchema } from './notify.ts';
import { terminalStateSchema } from './task-state.ts';

/** What a webhook or a queue is told of a task's end: its event, and its result. */
export const notificationSchema = taskEventSchema.omit({ state: true }).extend({
  state: terminalStateSchema,
  /** What the handler returned, where it has at most 8,192 bytes as JSON. */
  result: z.unknown().optional(),
  /** Bytes of a result that is larger: get it with `GET /v1/tasks/{id}?include=result`. */
  resultBytes: z.number().int().optional(),
});
export type Notification = z.infer<typeof notificationSchema>;

/** The body of a webhook, as Standard Webhooks recommends it. */
export const webhookBodySchema = z.object({
  type: z.templateLiteral(['task.', terminalStateSchema]),
  /** When the task ended. */
  timestamp: z.iso.datetime(),
  data: notificationSchema,
});
export type WebhookBody = z.infer<typeof webhookBodySchema>;

export const CHANNELS = ['webhook', 'queue'] as const;
export type Channel = (typeof CHANNELS)[number];

/** The payload of a delivery, the platform's own task that tells one end to one receiver. */
export const deliverySchema = z.object({
  v: z.literal(1),
  to: z.union([z.object({ webhook: z.string() }), z.object({ queue: z.string() })]),
  eventId: z.string(),
  type: z.string(),
  state: terminalStateSchema,
  /** When the task ended. */
  at: z.iso.datetime(),
  /** The notification as JSON text: each attempt sends the same bytes. */
  body: z.string(),
});
export type Delivery = z.infer<typeof deliverySchema>;

/** What functions know of the operator's rules, in one variable of their environment. */
export const notifyRulesSchema = z.object({
  /** By name. `tenants`: only these may use it. */
  queues: z.record(notificationQueueNameSchema, z.object({ url: z.string(), tenants: z.array(tenantSchema).optional() })),
  /** Ports that webhooks may be on. */
  ports: z.array(z.number().int().min(1).max(65_535)),
  /** Hosts that may have any address and port. */
  hosts: z.array(z.string()),
});
export type NotifyRules = z.infer<typeof notifyRulesSchema>;
