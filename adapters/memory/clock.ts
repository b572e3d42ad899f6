import type { Clock } from '../../core/ports/clock.ts';

export interface MemoryClock extends Clock {
  readonly advance: (milliseconds: number) => void;
  /** Sets the time, back as well: clocks do jump. */
  readonly set: (now: number) => void;
}

/** A clock that stands still until it is moved. */
export function createMemoryClock(start = Date.UTC(2026, 0, 1)): MemoryClock {
  let time = start;
  return {
    now: () => time,
    advance: (milliseconds) => {
      time += milliseconds;
    },
    set: (now) => {
      time = now;
    },
  };
}
