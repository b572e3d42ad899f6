import * as z from 'zod';
import { LIMITS } from './limits.ts';
import { terminalStateSchema } from './task-state.ts';

/** Ends that are told on the bus where nobody says otherwise: an event costs $1 a million, and most tasks succeed. */
export const EVENTS_BY_DEFAULT = ['failed', 'expired', 'cancelled'] as const;

/** Terminal states, each at most once. */
const statesSchema = z
  .array(terminalStateSchema)
  .refine((states) => new Set(states).size === states.length, 'a state is named twice; name each once')
  .meta({ uniqueItems: true });
const someStatesSchema = statesSchema.min(1, 'name at least one state, or leave "on" out for every end');

/** An HTTPS URL without credentials or fragment. Where it may lead is checked when a task is submitted and at each delivery. */
export const webhookUrlSchema = z
  .string()
  .max(LIMITS.webhookUrlLength)
  .regex(/^https:\/\/[!$-?A-~]+$/, 'a webhook is an absolute https:// URL in ASCII without user, password or fragment')
  .refine((url) => isWebhookUrl(url), 'a webhook is an absolute https:// URL without user or password');

function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, hostname } = new URL(text);
  return username === '' && password === '' && hostname !== '';
}

/** The name under which an operator has declared a queue for notifications. */
export const notificationQueueNameSchema = z
  .string()
  .max(LIMITS.notificationQueueNameLength)
  .regex(/^[a-z0-9][a-z0-9-]*$/, "a queue is one of the platform's notificationQueues: lower-case letters, digits and -");

/** A call of a URL for each end. */
export const notifyWebhookSchema = z.strictObject({
  url: webhookUrlSchema,
  /** The ends that are told. @default all of them */
  on: someStatesSchema.optional(),
});
/** A message to a queue for each end. */
export const notifyQueueSchema = z.strictObject({
  /** One of the platform's `notificationQueues`. */
  name: notificationQueueNameSchema,
  /** The ends that are told. @default all of them */
  on: someStatesSchema.optional(),
});

/** To whom the ends of a type's tasks are told. */
export const typeNotifySchema = z.strictObject({
  /** The ends that become an event on the platform's bus; none with `[]`. @default failed, expired, cancelled */
  events: statesSchema.optional(),
  webhook: notifyWebhookSchema.optional(),
  queue: notifyQueueSchema.optional(),
});
export type TypeNotify = z.infer<typeof typeNotifySchema>;

/** To whom a task's end is told. What is named replaces that of the task's type, and `null` takes it away. */
export const notifySchema = z.strictObject({
  /** The ends that become an event on the platform's bus; none with `[]`. @default those of the type */
  events: statesSchema.optional(),
  /** @default that of the type */
  webhook: notifyWebhookSchema.nullable().optional(),
  /** @default that of the type */
  queue: notifyQueueSchema.nullable().optional(),
});
export type Notify = z.infer<typeof notifySchema>;
