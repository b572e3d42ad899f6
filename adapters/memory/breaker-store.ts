import type { Breaker } from '@sluice/contracts';
import type { BreakerList } from '../../core/ports/breaker-list.ts';
import type { BreakerStore } from '../../core/ports/breaker-store.ts';
import type { Clock } from '../../core/ports/clock.ts';

export interface MemoryBreakerStoreConfig {
  readonly clock?: Clock;
  /** ms by which what is known is older than what is stored. Needs a clock. @default 0 */
  readonly lateMs?: number;
}

/** Breakers in a map. What is known of them may be late, as it is where it is read in the background. */
export function createMemoryBreakerStore({ clock, lateMs = 0 }: MemoryBreakerStoreConfig = {}): BreakerStore & BreakerList {
  const stored = new Map<string, Breaker>();
  /** The states of each breaker that are not too old to be what is known, the oldest first. */
  const history = new Map<string, { readonly at: number; readonly breaker: Breaker }[]>();
  const now = (): number => clock?.now() ?? 0;

  const knownOf = (key: string): Breaker | undefined => {
    const states = history.get(key) ?? [];
    while ((states[1]?.at ?? Infinity) <= now() - lateMs) states.shift();
    const [oldest] = states;
    return oldest && oldest.at <= now() - lateMs && oldest.breaker.state !== 'closed' ? structuredClone(oldest.breaker) : undefined;
  };

  return {
    known: async (key) => knownOf(key),
    notClosed: async () => [...stored.keys()].flatMap((key) => knownOf(key) ?? []),
    all: async () => structuredClone([...stored.values()].sort((a, b) => (a.key < b.key ? -1 : 1))),
    read: async (key) => structuredClone(stored.get(key)),
    write: async (breaker) => {
      const before = stored.get(breaker.key);
      if ((before?.seq ?? 0) !== breaker.seq - 1) return { applied: false, breaker: structuredClone(before) };
      stored.set(breaker.key, structuredClone(breaker));
      history.set(breaker.key, [...(history.get(breaker.key) ?? []), { at: now(), breaker: structuredClone(breaker) }]);
      return { applied: true, breaker: structuredClone(breaker) };
    },
  };
}
