import type { DeadHints, HintQueue, QueueRef, ReceivedHint, Shard } from '../../core/ports/hint-queue.ts';
import { createMemoryMessages, type MemoryMessages, type MemoryMessagesConfig, type ReceivedMessage } from './messages.ts';

export type MemoryQueuesConfig = MemoryMessagesConfig;

export interface MemoryQueues extends HintQueue {
  /** Up to `max` messages that are visible now, of one queue or of all, in no order. */
  readonly receive: (max: number, queue?: QueueRef) => Promise<readonly ReceivedHint[]>;
  /** Deletes a message; only the receipt of its latest receive does. */
  readonly remove: (receipt: string) => Promise<void>;
  readonly counts: (queue?: QueueRef) => {
    readonly visible: number;
    /** Received and neither removed nor visible again. */
    readonly inFlight: number;
    readonly delayed: number;
  };
  /** The body of every message that is in a queue, for checks of a whole run. */
  readonly bodies: () => readonly string[];
  /** When the next hidden or delayed message becomes visible, ms. */
  readonly nextVisibleAt: () => number | undefined;
  readonly dead: DeadHints;
  /** What the queues are made of. */
  readonly messages: MemoryMessages;
}

/** Standard queues by a given clock: at least once, in no order, with delay, visibility and dead letters. */
export function createMemoryQueues(config: MemoryQueuesConfig): MemoryQueues {
  const messages = createMemoryMessages(config);
  return {
    messages,
    send: async (sends) =>
      sends.map(({ queue, message, delaySeconds }) => {
        messages.add(nameOf(queue), JSON.stringify(message), delaySeconds);
        return true;
      }),
    giveBack: async ({ receipt }, seconds) => messages.changeVisibility(receipt, seconds),
    receive: async (max, queue) => messages.receive(max, queue && nameOf(queue)).map(receivedHint),
    remove: async (receipt) => messages.remove(receipt),
    counts: (queue) => messages.counts(queue && nameOf(queue)),
    bodies: messages.bodies,
    nextVisibleAt: messages.nextVisibleAt,
    dead: {
      receive: async () =>
        messages
          .dead()
          .slice(0, 10)
          .map(([receipt, body]) => ({ receipt, body })),
      remove: async (receipts) => {
        for (const receipt of receipts) messages.forget(receipt);
      },
    },
  };
}

/** A message as dispatch gets it. */
export function receivedHint({ messageId, receipt, queue, receiveCount, body }: ReceivedMessage): ReceivedHint {
  return { messageId, receipt, queue: refOf(queue), receiveCount, body };
}

function nameOf({ priority, shard }: QueueRef): string {
  return `${priority}-${shard}`;
}

function refOf(name: string): QueueRef {
  const [priority, shard] = name.split('-') as [QueueRef['priority'], string];
  return { priority, shard: shard.startsWith('d') ? (shard as Shard) : Number(shard) };
}
