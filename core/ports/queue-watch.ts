import type { QueueDepth } from '../routing/observe.ts';
import type { QueueRef } from './hint-queue.ts';

/** Looks at queues of hints from outside. Neither method throws. */
export interface QueueWatch {
  /** For each queue what it counts, which may be a minute late; absent where there is no answer, or no such queue. */
  readonly depths: (queues: readonly QueueRef[]) => Promise<readonly (QueueDepth | undefined)[]>;
  /**
   * The bodies of up to about so many messages of a queue, by chance, that stay in it. Each counts as received once more,
   * so that its rows are read before it is acted on.
   */
  readonly sample: (queue: QueueRef, messages: number) => Promise<readonly string[]>;
}
