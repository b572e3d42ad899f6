import type { Clock } from '../ports/clock.ts';
import type { Timer } from '../ports/timer.ts';

/**
 * ms after which what is kept in memory is read anew behind its users' backs, and after which they wait for that: what an
 * operator sets takes effect within 10 s, of which control may need three. Where something comes every second or two,
 * nobody ever waits.
 */
export const KEPT_MS = { fresh: 5_000, usable: 7_000 };
/** ms that anybody waits for one read at most: then what was known before has to do, or nothing. */
const WAIT_MS = 500;

/** What one environment knows of something that others write. */
export interface Kept<T> {
  value: T | undefined;
  /** When the read began that it is from. */
  readAt: number;
  /** When the last one began: what fails is not asked for each time. */
  askedAt: number;
  reading: Promise<void> | undefined;
}

export function newKept<T>(): Kept<T> {
  return { value: undefined, readAt: -Infinity, askedAt: -Infinity, reading: undefined };
}

export interface LookDeps {
  readonly clock: Clock;
  readonly timer: Timer;
}

/**
 * Begins to read what is not fresh any more. An environment may have stood still since it was used last, so that what it
 * began to read in the background has not come.
 * @param read must not throw before it returns
 * @returns what is to be waited for before it is used, which does not throw and is over soon; `undefined` for nothing
 */
export function look<T>(
  { clock, timer }: LookDeps,
  kept: Kept<T>,
  read: () => Promise<T | undefined>,
  failed: (error: unknown) => void,
): Promise<void> | undefined {
  const now = clock.now();
  const age = now - kept.readAt;
  if (age < KEPT_MS.fresh) return undefined;
  if (now >= kept.askedAt + KEPT_MS.fresh) {
    kept.askedAt = now;
    const reading = readInto(kept, now, read)
      .catch(failed)
      .finally(() => {
        if (kept.reading === reading) kept.reading = undefined;
      });
    kept.reading = reading;
  }
  const left = kept.askedAt + WAIT_MS - now;
  if (age < KEPT_MS.usable || !kept.reading || left <= 0) return undefined;
  return Promise.race([kept.reading, timer.sleep(left)]);
}

async function readInto<T>(kept: Kept<T>, askedAt: number, read: () => Promise<T | undefined>): Promise<void> {
  const value = await read();
  // One that was asked for later may have come first.
  if (askedAt < kept.readAt) return;
  kept.value = value;
  kept.readAt = askedAt;
}
