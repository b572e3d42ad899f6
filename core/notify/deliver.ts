import { deliverySchema, type Delivery, type NotifyRules } from '@sluice/contracts';
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../ports/clock.ts';
import type { NotificationSender } from '../ports/notification-sender.ts';
import type { WebhookSecretStore } from '../ports/webhook-secret-store.ts';
import type { WebhookSender } from '../ports/webhook-sender.ts';
import { SystemTaskError, type SystemAttempt, type SystemHandler } from '../system/run-system-task.ts';
import { mayUseQueue } from './check-notify.ts';
import { judgeAnswer } from './judge-answer.ts';
import { liveSecrets } from './secrets.ts';

export interface DeliverDeps {
  readonly webhookSecrets: WebhookSecretStore;
  readonly webhooks: WebhookSender;
  readonly notifications: NotificationSender;
  readonly notifyRules: NotifyRules;
  readonly clock: Clock;
}

/** ms that a receiver has for its answer. */
const TIMEOUT_MS = 15_000;

/** The handler of `sluice.notify`: tells one end to one receiver. */
export function createDeliveryHandler(deps: DeliverDeps): SystemHandler {
  return async (payload, attempt) => {
    const parsed = deliverySchema.safeParse(payload);
    if (!parsed.success) throw new SystemTaskError('fatal', 'a delivery of a version that is not known', { cause: parsed.error });
    const { to } = parsed.data;
    return 'webhook' in to ? callWebhook(deps, to.webhook, parsed.data, attempt) : sendMessage(deps, to.queue, parsed.data, attempt);
  };
}

/** `{type, timestamp, data}` as the notification's own text: all attempts send the same bytes. */
function webhookBodyOf({ state, at, body }: Delivery): string {
  return `{"type":"task.${state}","timestamp":"${at}","data":${body}}`;
}

/** The `webhook-id`: the event's id, in which the specification allows no full stop. */
async function headersOf(deps: DeliverDeps, tenant: string, id: string, body: string): Promise<Record<string, string>> {
  const now = deps.clock.now();
  const record = await deps.webhookSecrets.get(tenant);
  const secrets = record ? liveSecrets(record, now) : [];
  if (secrets.length === 0) {
    throw new SystemTaskError(
      'retryable',
      `tenant ${tenant} has no secret to sign webhooks with; make one with POST /v1/webhook-secrets, then retry this task`,
    );
  }
  const at = new Date(now);
  return {
    'content-type': 'application/json',
    'user-agent': 'Sluice-Webhooks/1',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now / 1_000)),
    'webhook-signature': secrets.map(({ secret }) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}

async function callWebhook(deps: DeliverDeps, url: string, delivery: Delivery, attempt: SystemAttempt): Promise<{ status: number }> {
  const body = webhookBodyOf(delivery);
  const headers = await headersOf(deps, attempt.tenant, delivery.eventId, body);
  const answer = await deps.webhooks.send(attempt.tenant, { url, headers, body, timeoutMs: TIMEOUT_MS });
  const { attempt: count, throttled } = attempt;
  const verdict = judgeAnswer({ answer, attempt: count, throttled, now: deps.clock.now() });
  if (verdict.as === 'delivered') return { status: verdict.status };
  const { as, message } = verdict;
  throw new SystemTaskError(as, message, as === 'throttled' ? { retryAfterMs: verdict.retryAfterMs } : {});
}

async function sendMessage(deps: DeliverDeps, name: string, delivery: Delivery, { tenant }: SystemAttempt): Promise<{ queue: string }> {
  const queue = deps.notifyRules.queues[name];
  // A deployment may have left it out by mistake: it is tried again before it is given up.
  if (!queue || !mayUseQueue(deps.notifyRules, tenant, name)) {
    throw new SystemTaskError(
      'retryable',
      `the platform has no queue "${name}" for tenant ${tenant}; declare it in notificationQueues, then retry this task`,
    );
  }
  const { eventId, type, state, body } = delivery;
  await deps.notifications.send(tenant, queue.url, { eventId, type, state, body });
  return { queue: name };
}
