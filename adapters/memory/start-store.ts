import type { RunCounts, StartChoice } from '@sluice/contracts';
import type { Clock } from '../../core/ports/clock.ts';
import type { StartStore } from '../../core/ports/start-store.ts';

export interface MemoryStartStore extends StartStore {
  /** What a reader knows whose knowledge is that old, ms. */
  readonly knownLate: (lateMs: number) => Pick<StartStore, 'known' | 'all'>;
}

/** Choices and counts in maps. What is written is known at once, or late. */
export function createMemoryStartStore({ clock }: { readonly clock?: Clock } = {}): MemoryStartStore {
  const now = (): number => clock?.now() ?? 0;
  /** What was written of each type, the latest last; `undefined`: taken away. */
  const written = new Map<string, { readonly at: number; readonly choice: StartChoice | undefined }[]>();
  const counts = new Map<string, RunCounts>();
  const latest = (type: string): StartChoice | undefined => written.get(type)?.at(-1)?.choice;
  const put = (type: string, choice: StartChoice | undefined): void => {
    written.set(type, [...(written.get(type) ?? []), { at: now(), choice: structuredClone(choice) }]);
  };
  const knownLate = (lateMs: number): Pick<StartStore, 'known' | 'all'> => {
    const known = (type: string): StartChoice | undefined =>
      structuredClone(written.get(type)?.findLast(({ at }) => at <= now() - lateMs)?.choice);
    return { known: async (type) => known(type), all: async () => [...written.keys()].flatMap((type) => known(type) ?? []) };
  };
  const keyOf = ({ type, since }: Pick<StartChoice, 'type' | 'since'>): string => `${type}#${since}`;
  const counted = (key: string): RunCounts => counts.get(key) ?? { runs: 0, slow: 0, long: 0 };
  return {
    ...knownLate(0),
    knownLate,
    write: async (next, before) => {
      if (latest(next.type)?.since !== before?.since) return false;
      put(next.type, next);
      return true;
    },
    remove: async ({ type, since }) => {
      if (latest(type)?.since === since) put(type, undefined);
    },
    add: async (choice, { runs, slow, long }) => {
      const key = keyOf(choice);
      const sum = counted(key);
      counts.set(key, { runs: sum.runs + runs, slow: sum.slow + slow, long: sum.long + long });
    },
    counted: async (choice) => counted(keyOf(choice)),
  };
}
