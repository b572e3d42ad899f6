import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';

export interface MemoryMessagesConfig {
  readonly clock: Clock;
  readonly random: Pick<Random, 'fraction'>;
  /** Seconds that a received message stays out of sight. @default 120 */
  readonly visibilitySeconds?: number;
  /** Receives after which a message goes to the dead ones. @default Infinity */
  readonly maxReceives?: number;
  /** Messages of one queue that may be received and not yet deleted; beyond it nothing is received. @default 120,000 */
  readonly inFlightLimit?: number;
}

export interface ReceivedMessage {
  readonly messageId: string;
  readonly receipt: string;
  readonly queue: string;
  readonly receiveCount: number;
  readonly body: string;
}

/** Hears what becomes of messages. */
export interface MessageWatcher {
  readonly added: (messageId: string, body: string) => void;
  /** It is out of sight until then, ms; it may be deleted before. */
  readonly hidden: (messageId: string, until: number, queue: string) => void;
  /** It is nowhere any more, not among the dead ones either. */
  readonly removed: (messageId: string) => void;
}

export type MemoryMessages = ReturnType<typeof createMemoryMessages>;

interface Message {
  readonly messageId: string;
  readonly queue: string;
  readonly body: string;
  visibleAt: number;
  receipt: string | undefined;
  receiveCount: number;
}

/** Standard queues by a given clock: at least once, in no order, with delay, visibility, a limit in flight and dead letters. */
export function createMemoryMessages(config: MemoryMessagesConfig) {
  const { clock, random, maxReceives = Infinity, inFlightLimit = 120_000 } = config;
  const visibilityMs = (config.visibilitySeconds ?? 120) * 1000;
  const messages = new Map<string, Message>();
  const dead = new Map<string, string>();
  const watchers: MessageWatcher[] = [];
  let made = 0;

  const inQueue = (queue: string | undefined): Message[] => [...messages.values()].filter((m) => queue === undefined || m.queue === queue);
  const byReceipt = (receipt: string): Message | undefined => {
    const message = messages.get(receipt.split('/')[0] ?? '');
    return message?.receipt === receipt ? message : undefined;
  };
  const hide = (message: Message, ms: number): void => {
    message.visibleAt = clock.now() + ms;
    for (const watcher of watchers) watcher.hidden(message.messageId, message.visibleAt, message.queue);
  };
  const forget = (messageId: string): void => {
    if (messages.delete(messageId) || dead.delete(messageId)) for (const watcher of watchers) watcher.removed(messageId);
  };
  const bury = (message: Message): void => {
    messages.delete(message.messageId);
    dead.set(message.messageId, message.body);
  };
  const take = (message: Message): ReceivedMessage => {
    message.receiveCount += 1;
    message.receipt = `${message.messageId}/${message.receiveCount}`;
    hide(message, visibilityMs);
    const { messageId, receipt, receiveCount, body, queue } = message;
    return { messageId, receipt, queue, receiveCount, body };
  };
  const counts = (queue?: string) => {
    const now = clock.now();
    let visible = 0;
    let inFlight = 0;
    let delayed = 0;
    for (const message of messages.values()) {
      if (queue !== undefined && message.queue !== queue) continue;
      if (message.visibleAt <= now) visible += 1;
      else if (message.receiveCount > 0) inFlight += 1;
      else delayed += 1;
    }
    return { visible, inFlight, delayed };
  };

  return {
    add: (queue: string, body: string, delaySeconds: number): string => {
      const messageId = `m${++made}`;
      const message: Message = { messageId, queue, body, visibleAt: 0, receipt: undefined, receiveCount: 0 };
      messages.set(messageId, message);
      for (const watcher of watchers) watcher.added(messageId, body);
      hide(message, delaySeconds * 1000);
      return messageId;
    },
    /** Up to `max` messages that are visible now, of one queue or of all, in no order. */
    receive: (max: number, queue?: string): readonly ReceivedMessage[] => {
      const now = clock.now();
      const visible = inQueue(queue).filter((message) => message.visibleAt <= now);
      const received: ReceivedMessage[] = [];
      while (received.length < max && visible.length > 0) {
        const [message] = visible.splice(Math.floor(random.fraction() * visible.length), 1);
        if (!message) break;
        if (message.receiveCount >= maxReceives) bury(message);
        else if (counts(message.queue).inFlight < inFlightLimit) received.push(take(message));
      }
      return received;
    },
    /** Bodies of up to `max` messages that are visible, by chance, as received once more and visible again at once. */
    peek: (max: number, queue: string): readonly string[] => {
      const now = clock.now();
      const visible = inQueue(queue).filter((message) => message.visibleAt <= now);
      const seen: string[] = [];
      while (seen.length < max && visible.length > 0) {
        const [message] = visible.splice(Math.floor(random.fraction() * visible.length), 1);
        if (!message) break;
        message.receiveCount += 1;
        seen.push(message.body);
      }
      return seen;
    },
    changeVisibility: (receipt: string, seconds: number): void => {
      const message = byReceipt(receipt);
      if (message) hide(message, seconds * 1000);
    },
    /** Deletes a message; only the receipt of its latest receive does. */
    remove: (receipt: string): void => {
      const message = byReceipt(receipt);
      if (message) forget(message.messageId);
    },
    /** Deletes all messages of a queue, received ones as well. @returns their bodies */
    purge: (queue: string): readonly string[] => {
      const gone = inQueue(queue);
      for (const { messageId } of gone) forget(messageId);
      return gone.map(({ body }) => body);
    },
    idsIn: (queue: string): readonly string[] => inQueue(queue).map(({ messageId }) => messageId),
    isVisible: (messageId: string): boolean => (messages.get(messageId)?.visibleAt ?? Infinity) <= clock.now(),
    isThere: (messageId: string): boolean => messages.has(messageId),
    isLatest: (receipt: string): boolean => byReceipt(receipt) !== undefined,
    counts,
    bodies: (): readonly string[] => [...messages.values()].map((message) => message.body),
    /** When the next hidden or delayed message becomes visible, ms. */
    nextVisibleAt: (): number | undefined => {
      const later = [...messages.values()].map((message) => message.visibleAt).filter((at) => at > clock.now());
      return later.length > 0 ? Math.min(...later) : undefined;
    },
    dead: (): readonly (readonly [string, string])[] => [...dead],
    /** Deletes a message, a dead one too, whatever receipt there is. */
    forget,
    /** Tells of what there is, and from now on of all that happens. */
    watch: (watcher: MessageWatcher): void => {
      watchers.push(watcher);
      for (const { messageId, body } of messages.values()) watcher.added(messageId, body);
      for (const [messageId, body] of dead) watcher.added(messageId, body);
    },
  };
}
