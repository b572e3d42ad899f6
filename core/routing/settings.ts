/** What decides about dedicated queues and moves. */
export interface RoutingSettings {
  /** Tenants that may have queues of their own at once; 0 makes none. */
  readonly maxDedicated: number;
  /**
   * Visible messages from which on a queue is busy. 500 of one task each is about a second of work for the five
   * invocations that an event source begins with.
   */
  readonly busyDepth: number;
  /**
   * The part of a busy queue's messages that one tenant must have for it to be this tenant that keeps it busy. With 30
   * messages looked at, one that has a tenth of them seems to have this much in 1 of 500 readings, and in three readings
   * one after the other in 1 of 10^8.
   */
  readonly busyShare: number;
  /** Readings one after the other, and the ms over which, that a tenant must keep a queue busy before it gets its own. */
  readonly promoteReadings: number;
  readonly promoteAfterMs: number;
  /**
   * Messages in a dedicated queue, visible or in flight, up to which it is idle. What is in a queue is its arrivals times
   * the time that each is there (Little 1961), so that a queue that is kept short by a lot of work is not taken for idle.
   */
  readonly idleDepth: number;
  /** ms that it must be idle for before its tenant goes back to the shared queues. */
  readonly demoteAfterMs: number;
  /** ms that a queue is consumed after its tenant was routed elsewhere: no reader's knowledge and no delayed message is older. */
  readonly drainMs: number;
  /** ms that it must be empty for, by readings of counts that may be a minute late, before it is deleted. */
  readonly emptyMs: number;
  /** ms after which queues that cannot be made are given up. */
  readonly giveUpMs: number;
  /** Latency-sensitive tenants that may be moved off busy queues at once. */
  readonly maxMoved: number;
  /** ms that the queues of a moved tenant must be calm (a tenth of busy) before it goes back to them. */
  readonly moveBackAfterMs: number;
}

const MINUTE_MS = 60_000;

export const DEFAULT_ROUTING_SETTINGS: RoutingSettings = {
  maxDedicated: 10,
  busyDepth: 500,
  busyShare: 0.3,
  promoteReadings: 3,
  promoteAfterMs: 2 * MINUTE_MS,
  idleDepth: 10,
  demoteAfterMs: 15 * MINUTE_MS,
  drainMs: 20 * MINUTE_MS,
  emptyMs: 3 * MINUTE_MS,
  giveUpMs: 10 * MINUTE_MS,
  maxMoved: 200,
  moveBackAfterMs: 5 * MINUTE_MS,
};

/** A queue is calm below this part of what makes it busy, and its depth is told from there on. */
export const CALM_PART = 0.1;

/**
 * ms after which what a reader knows of the routing is not used any more: it then routes by tenants' names alone, to
 * queues that are always there. With the longest delay of a message (15 minutes) and a minute in which it is sent, it is
 * less than `drainMs`, so that nobody sends to a queue that is gone.
 */
export const ROUTING_KEPT_MS = 2 * MINUTE_MS;
