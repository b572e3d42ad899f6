import type { Priority } from '@sluice/contracts';

/** A message that is left in a queue which is to be deleted. */
export interface LeftMessage {
  readonly priority: Priority;
  readonly body: string;
  readonly receipt: string;
}

/**
 * The queues that a tenant has for itself, one of each priority, each with an event source that feeds dispatch. Every
 * method may be repeated, at once too, and goes on where another was broken off; each throws when its answer is unknown.
 */
export interface DedicatedQueues {
  /** Makes what is missing. @returns whether all of it works */
  readonly make: (tenant: string, generation: number) => Promise<boolean>;
  /** Takes the event sources away. @returns whether none is left */
  readonly disconnect: (tenant: string, generation: number) => Promise<boolean>;
  /** Some of the messages that are there still, those among them that were received before and not discarded; none once there are none. */
  readonly receive: (tenant: string, generation: number) => Promise<readonly LeftMessage[]>;
  readonly discard: (tenant: string, generation: number, messages: readonly LeftMessage[]) => Promise<void>;
  /** Deletes the queues with all that is in them. */
  readonly remove: (tenant: string, generation: number) => Promise<void>;
}
