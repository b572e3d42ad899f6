import type { Priority } from '@sluice/contracts';

/** Messages of one queue as SQS counts them, about. */
export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** Messages that were looked at in a busy queue, by tenant; those of lanes that are full stand in nobody's way. */
export interface BusyQueue {
  readonly priority: Priority;
  readonly shard: number;
  readonly visible: number;
  readonly seen: number;
  /** Of these, messages of each tenant's lanes that have no backlog. */
  readonly byTenant: ReadonlyMap<string, number>;
}

/** What control has found of a dedicated queue. */
export interface DedicatedFacts {
  /** Its queues and event sources are there and work. */
  readonly ready?: boolean;
  /** Neither queues nor event sources are there. */
  readonly gone?: boolean;
  /** Of its queues together; absent when they were not all read. */
  readonly depth?: QueueDepth | undefined;
}

/** What control has seen in one round. */
export interface Observation {
  /** By priority and shard; absent where a queue was not read. */
  readonly shared: Readonly<Record<Priority, readonly (QueueDepth | undefined)[]>>;
  readonly busy: readonly BusyQueue[];
  /** By generation. */
  readonly dedicated: ReadonlyMap<number, DedicatedFacts>;
  /** Tenants whose work must not wait, by an operator's word. */
  readonly sensitive: readonly string[];
}
