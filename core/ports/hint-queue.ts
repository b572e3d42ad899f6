import type { HintMessage, Priority } from '@sluice/contracts';

/** Names queues, one of each priority: by their number in the shared pool, or by the generation of a tenant's own ones. */
export type Shard = number | `d${number}`;

/** A queue of hints. */
export interface QueueRef {
  readonly priority: Priority;
  readonly shard: Shard;
}

export interface HintSend {
  readonly queue: QueueRef;
  readonly message: HintMessage;
  /** 0 to 900. */
  readonly delaySeconds: number;
}

/** A hint message as it was received. */
export interface ReceivedHint {
  readonly messageId: string;
  readonly receipt: string;
  readonly queue: QueueRef;
  /** Times that the message was received, this one counted. */
  readonly receiveCount: number;
  readonly body: string;
}

/** The shard queues, and those of single tenants. */
export interface HintQueue {
  /** Durable where the answer is true, for each send in its order. Does not throw. */
  readonly send: (sends: readonly HintSend[]) => Promise<readonly boolean[]>;
  /** Lets the message be received again after so many seconds. Best effort: without it the visibility time-out does the same later. */
  readonly giveBack: (hint: ReceivedHint, seconds: number) => Promise<void>;
}

/** The hints that a queue gave up on after its maximum of receives. */
export interface DeadHints {
  /** Up to ten at a time; empty when there are none. */
  readonly receive: () => Promise<readonly { readonly body: string; readonly receipt: string }[]>;
  readonly remove: (receipts: readonly string[]) => Promise<void>;
}
