import type { Timer } from '../../core/ports/timer.ts';
import type { MemoryClock } from './clock.ts';

/** Sleeping moves the clock: nothing waits. */
export function createMemoryTimer(clock: MemoryClock): Timer {
  return {
    sleep: async (milliseconds) => {
      clock.advance(milliseconds);
    },
  };
}
