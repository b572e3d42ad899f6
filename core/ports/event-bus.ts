import type { TaskEvent } from '@sluice/contracts';

/** Where ends of tasks are told. At least once; copies share their `eventId`. @throws when it is unknown whether all were taken. */
export interface EventBus {
  readonly publish: (events: readonly TaskEvent[]) => Promise<void>;
}
