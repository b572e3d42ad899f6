import type { Clock } from '../../core/ports/clock.ts';
import type { DeadHints, HintQueue, QueueRef, ReceivedHint } from '../../core/ports/hint-queue.ts';
import type { Random } from '../../core/ports/random.ts';

export interface MemoryQueuesConfig {
  readonly clock: Clock;
  readonly random: Random;
  /** Seconds that a received message stays out of sight. @default 120 */
  readonly visibilitySeconds?: number;
  /** Receives after which a message goes to the dead hints. @default Infinity */
  readonly maxReceives?: number;
}

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
}

interface Message {
  readonly messageId: string;
  readonly queue: QueueRef;
  readonly body: string;
  visibleAt: number;
  receipt: string | undefined;
  receiveCount: number;
}

/** Standard queues by a given clock: at least once, in no order, with delay, visibility and dead letters. */
export function createMemoryQueues(config: MemoryQueuesConfig): MemoryQueues {
  const { clock, random } = config;
  const visibilityMs = (config.visibilitySeconds ?? 120) * 1000;
  const maxReceives = config.maxReceives ?? Infinity;
  const messages = new Map<string, Message>();
  const dead = new Map<string, string>();
  let made = 0;

  const inQueue = (queue: QueueRef | undefined): Message[] =>
    [...messages.values()].filter(
      (message) => !queue || (message.queue.priority === queue.priority && message.queue.shard === queue.shard),
    );
  const byReceipt = (receipt: string): Message | undefined => {
    const message = messages.get(receipt.split('/')[0] ?? '');
    return message?.receipt === receipt ? message : undefined;
  };
  const bury = (message: Message): void => {
    messages.delete(message.messageId);
    dead.set(message.messageId, message.body);
  };
  const take = (message: Message): ReceivedHint => {
    message.receiveCount += 1;
    message.visibleAt = clock.now() + visibilityMs;
    message.receipt = `${message.messageId}/${message.receiveCount}`;
    const { messageId, receipt, receiveCount, body } = message;
    return { messageId, receipt, queue: structuredClone(message.queue), receiveCount, body };
  };

  return {
    send: async (sends) =>
      sends.map(({ queue, message, delaySeconds }) => {
        const messageId = `m${++made}`;
        messages.set(messageId, {
          messageId,
          queue: structuredClone(queue),
          body: JSON.stringify(message),
          visibleAt: clock.now() + delaySeconds * 1000,
          receipt: undefined,
          receiveCount: 0,
        });
        return true;
      }),
    giveBack: async ({ receipt }, seconds) => {
      const message = byReceipt(receipt);
      if (message) message.visibleAt = clock.now() + seconds * 1000;
    },
    receive: async (max, queue) => {
      const visible = inQueue(queue).filter((message) => message.visibleAt <= clock.now());
      const received: ReceivedHint[] = [];
      while (received.length < max && visible.length > 0) {
        const [message] = visible.splice(Math.floor(random.fraction() * visible.length), 1);
        if (!message) break;
        if (message.receiveCount >= maxReceives) bury(message);
        else received.push(take(message));
      }
      return received;
    },
    remove: async (receipt) => {
      const message = byReceipt(receipt);
      if (message) messages.delete(message.messageId);
    },
    counts: (queue) => {
      const all = inQueue(queue);
      const hidden = all.filter((message) => message.visibleAt > clock.now());
      const inFlight = hidden.filter((message) => message.receiveCount > 0).length;
      return { visible: all.length - hidden.length, inFlight, delayed: hidden.length - inFlight };
    },
    bodies: () => [...messages.values()].map((message) => message.body),
    nextVisibleAt: () => {
      const later = [...messages.values()].map((message) => message.visibleAt).filter((at) => at > clock.now());
      return later.length > 0 ? Math.min(...later) : undefined;
    },
    dead: {
      receive: async () => [...dead].slice(0, 10).map(([receipt, body]) => ({ receipt, body })),
      remove: async (receipts) => {
        for (const receipt of receipts) dead.delete(receipt);
      },
    },
  };
}
