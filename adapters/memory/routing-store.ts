import type { RoutingDocument } from '@sluice/contracts';
import type { Clock } from '../../core/ports/clock.ts';
import type { RoutingMap, RoutingStore } from '../../core/ports/routing-store.ts';
import { createSentCounts } from '../../core/routing/choose.ts';

export interface MemoryRoutingStore extends RoutingStore, RoutingMap {
  /** What a reader knows whose knowledge is that old, ms. */
  readonly mapOf: (lateMs: number) => RoutingMap;
}

/** The routing document in memory; readers know it at once, or late. */
export function createMemoryRoutingStore({ clock }: { readonly clock: Clock }): MemoryRoutingStore {
  const written: { readonly at: number; readonly document: RoutingDocument }[] = [];
  const mapOf = (lateMs: number): RoutingMap => {
    const sent = createSentCounts();
    return {
      known: () => {
        const document = written.findLast(({ at }) => at <= clock.now() - lateMs)?.document;
        return document && { document, sent };
      },
      ready: () => undefined,
    };
  };
  return {
    read: async () => written.at(-1)?.document,
    write: async (document) => {
      if (document.version !== (written.at(-1)?.document.version ?? 0) + 1) return false;
      written.push({ at: clock.now(), document });
      return true;
    },
    mapOf,
    ...mapOf(0),
  };
}
