import type { DivisionStore } from '../ports/division-store.ts';

/** A store, and whether what became of all notes that were written by it is known. */
export interface KnownWrites {
  readonly divisions: DivisionStore;
  readonly areKnown: () => boolean;
}

/** Heeds whether a note that was written was answered. One that was not may be written yet, over what a later round notes. */
export function heedWrites(divisions: DivisionStore): KnownWrites {
  let known = true;
  const heeded =
    <A extends readonly unknown[]>(write: (...args: A) => Promise<void>) =>
    async (...args: A): Promise<void> => {
      try {
        await write(...args);
      } catch (error) {
        known = false;
        throw error;
      }
    };
  return {
    divisions: {
      ...divisions,
      put: heeded(divisions.put),
      remove: heeded(divisions.remove),
      putRates: heeded(divisions.putRates),
      removeRates: heeded(divisions.removeRates),
      putRest: heeded(divisions.putRest),
      removeRest: heeded(divisions.removeRest),
    },
    areKnown: () => known,
  };
}
