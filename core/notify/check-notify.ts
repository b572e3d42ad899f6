import { SluiceError, type Notify, type NotifyRules } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { WebhookSecretStore } from '../ports/webhook-secret-store.ts';
import { flawOfUrl } from './check-url.ts';
import { liveSecrets } from './secrets.ts';

/** What decides whether a submission may name a receiver. */
export interface NotifyGate {
  readonly webhookSecrets: WebhookSecretStore;
  readonly notifyRules: NotifyRules;
  readonly clock: Clock;
}

/** Whether a tenant may use a queue. One that it may not is as unknown as one that is not there. */
export function mayUseQueue({ queues }: Pick<NotifyRules, 'queues'>, tenant: string, name: string): boolean {
  const queue = Object.hasOwn(queues, name) ? queues[name] : undefined;
  return queue !== undefined && (queue.tenants?.includes(tenant) ?? true);
}

export type NotifyCheck = (notify: Notify | undefined) => Promise<void>;

/**
 * A check for the submissions of one call, that the receivers which they name can be told: what would be found out only
 * at a task's end is refused at its beginning. It costs a read where one names a webhook, however many do, else nothing.
 * It throws SluiceError `bad_request`, `unknown_queue`, `no_webhook_secret`.
 */
export function notifyCheck(gate: NotifyGate, tenant: string): NotifyCheck {
  let signed: Promise<boolean> | undefined;
  return async (notify) => {
    if (notify?.queue) checkQueue(gate.notifyRules, tenant, notify.queue.name);
    if (!notify?.webhook) return;
    const { url } = notify.webhook;
    const flaw = flawOfUrl(url, gate.notifyRules);
    if (flaw !== undefined) {
      throw new SluiceError('bad_request', `notify.webhook.url: ${flaw}; give an https:// URL of a public host`, { details: { url } });
    }
    if (await (signed ??= hasSecret(gate, tenant))) return;
    throw new SluiceError(
      'no_webhook_secret',
      `tenant ${tenant} has no secret to sign webhooks with; make one with POST /v1/webhook-secrets, then submit again`,
    );
  };
}

async function hasSecret({ webhookSecrets, clock }: NotifyGate, tenant: string): Promise<boolean> {
  const record = await webhookSecrets.get(tenant);
  return record !== undefined && liveSecrets(record, clock.now()).length > 0;
}

function checkQueue(rules: NotifyRules, tenant: string, name: string): void {
  if (mayUseQueue(rules, tenant, name)) return;
  const known = Object.keys(rules.queues).filter((each) => mayUseQueue(rules, tenant, each));
  throw new SluiceError(
    'unknown_queue',
    `there is no queue "${name}" for notifications; there are: ${known.join(', ') || 'none'}. Use one of these, or have it declared in the platform's notificationQueues`,
    { details: { known } },
  );
}
