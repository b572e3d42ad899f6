import type { TaskEvent } from '@sluice/contracts';
import type { EventBus } from '../../core/ports/event-bus.ts';

export interface MemoryEventBus extends EventBus {
  /** Everything that was told, copies included, in order. */
  readonly events: () => readonly TaskEvent[];
}

/** Keeps what is told. */
export function createMemoryEventBus(): MemoryEventBus {
  const told: TaskEvent[] = [];
  return {
    publish: async (events) => {
      told.push(...structuredClone([...events]));
    },
    events: () => structuredClone(told),
  };
}
