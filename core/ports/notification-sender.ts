import type { TerminalState } from '@sluice/contracts';

/** One message to a queue that an operator has declared. */
export interface NotificationMessage {
  readonly eventId: string;
  readonly type: string;
  readonly state: TerminalState;
  /** JSON of a notification. */
  readonly body: string;
}

/** Puts notifications into queues. At least once; copies share their `eventId`. @throws when it is not known to be taken */
export interface NotificationSender {
  readonly send: (tenant: string, queueUrl: string, message: NotificationMessage) => Promise<void>;
}
