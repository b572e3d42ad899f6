import type { NotificationMessage, NotificationSender } from '../../core/ports/notification-sender.ts';

export interface MemoryNotificationSender extends NotificationSender {
  /** What was sent, in order. */
  readonly sent: () => readonly (NotificationMessage & { readonly tenant: string; readonly queueUrl: string })[];
}

/** Keeps what is sent. */
export function createMemoryNotificationSender(): MemoryNotificationSender {
  const sent: (NotificationMessage & { tenant: string; queueUrl: string })[] = [];
  return {
    send: async (tenant, queueUrl, message) => {
      sent.push(structuredClone({ ...message, tenant, queueUrl }));
    },
    sent: () => structuredClone(sent),
  };
}
