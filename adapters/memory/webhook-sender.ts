import { flawOfUrl, type UrlRules } from '../../core/notify/check-url.ts';
import type { WebhookAnswer, WebhookRequest, WebhookSender } from '../../core/ports/webhook-sender.ts';

export interface MemoryWebhookSender extends WebhookSender {
  /** What was sent, in order. */
  readonly sent: () => readonly (WebhookRequest & { readonly tenant: string })[];
}

/** Keeps what is sent, and answers as the receiver does. @param receiver @default it takes everything */
export function createMemoryWebhookSender(
  rules: UrlRules,
  receiver: (request: WebhookRequest) => WebhookAnswer = () => ({ kind: 'answered', status: 204, body: '' }),
): MemoryWebhookSender {
  const sent: (WebhookRequest & { tenant: string })[] = [];
  return {
    send: async (tenant, request) => {
      const flaw = flawOfUrl(request.url, rules);
      if (flaw !== undefined) return { kind: 'forbidden', message: flaw };
      sent.push(structuredClone({ ...request, tenant }));
      return receiver(request);
    },
    sent: () => structuredClone(sent),
  };
}
