import { PRIORITIES } from '@sluice/contracts';
import type { DedicatedQueues, LeftMessage } from '../../core/ports/dedicated-queues.ts';
import type { DeadHints, HintQueue, QueueRef, ReceivedHint, Shard } from '../../core/ports/hint-queue.ts';
import type { QueueWatch } from '../../core/ports/queue-watch.ts';
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
  readonly watch: QueueWatch;
  /** Queues of single tenants; their messages are received by whoever asks, connected or not. */
  readonly dedicatedQueues: DedicatedQueues;
  /** Whether a queue is there, and whether dispatch is fed from it: a queue of the pool always is. */
  readonly stateOf: (queue: QueueRef) => 'fed' | 'unfed' | 'gone';
  /** What the queues are made of. */
  readonly messages: MemoryMessages;
}

/** Standard queues by a given clock: at least once, in no order, with delay, visibility and dead letters. */
export function createMemoryQueues(config: MemoryQueuesConfig): MemoryQueues {
  const messages = createMemoryMessages(config);
  const made = new Map<string, 'fed' | 'unfed'>();
  const stateOf = ({ shard }: QueueRef) => (typeof shard === 'number' ? 'fed' : (made.get(shard) ?? 'gone'));
  return {
    messages,
    stateOf,
    send: async (sends) =>
      sends.map(({ queue, message, delaySeconds }) => {
        if (stateOf(queue) === 'gone') return false;
        messages.add(nameOf(queue), JSON.stringify(message), delaySeconds);
        return true;
      }),
    giveBack: async ({ receipt }, seconds) => messages.changeVisibility(receipt, seconds),
    receive: async (max, queue) => messages.receive(max, queue && nameOf(queue)).map(receivedHint),
    remove: async (receipt) => messages.remove(receipt),
    counts: (queue) => messages.counts(queue && nameOf(queue)),
    bodies: messages.bodies,
    nextVisibleAt: messages.nextVisibleAt,
    watch: {
      depths: async (queues) => queues.map((queue) => (stateOf(queue) === 'gone' ? undefined : messages.counts(nameOf(queue)))),
      sample: async (queue, count) => messages.peek(count, nameOf(queue)),
    },
    dedicatedQueues: {
      make: async (_tenant, generation) => {
        made.set(`d${generation}`, 'fed');
        return true;
      },
      disconnect: async (_tenant, generation) => {
        if (made.has(`d${generation}`)) made.set(`d${generation}`, 'unfed');
        return true;
      },
      receive: async (_tenant, generation) =>
        PRIORITIES.flatMap((priority) =>
          messages.receive(10, nameOf({ priority, shard: `d${generation}` })).map(({ body, receipt }): LeftMessage => {
            // Seen again by whoever looks next, if it is not discarded.
            messages.changeVisibility(receipt, 0);
            return { priority, body, receipt };
          }),
        ),
      discard: async (_tenant, _generation, left) => {
        for (const { receipt } of left) messages.remove(receipt);
      },
      remove: async (_tenant, generation) => {
        made.delete(`d${generation}`);
        for (const priority of PRIORITIES) messages.purge(nameOf({ priority, shard: `d${generation}` }));
      },
    },
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
