import type { RoutingDocument } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RoutingStore } from '../../core/ports/routing-store.ts';
import { NO_ROUTING } from '../../core/routing/next-document.ts';
import { NOW } from './fixtures.ts';

export function documentAt(version: number, over: Partial<RoutingDocument> = {}): RoutingDocument {
  return { ...NO_ROUTING, version, ...over };
}

/** Every field, each with a value. */
export const WHOLE: RoutingDocument = {
  v: 1,
  version: 1,
  generations: 7,
  dedicated: [
    { tenant: 'acme', generation: 6, state: 'active', since: NOW, quietSince: NOW + 1 },
    { tenant: 'b', generation: 7, state: 'creating', since: NOW },
  ],
  moved: [{ tenant: 'quick', shards: [1, 5], since: NOW, quietSince: NOW + 2 }],
  suspects: [{ tenant: 'c', since: NOW, seen: 2 }],
  depths: { at: NOW, high: [0, 1], normal: [2, 3], low: [4, 5] },
};

export function routingStoreContract(name: string, make: () => Promise<RoutingStore>): void {
  describe(`routing store: ${name}`, () => {
    let store: RoutingStore;
    beforeEach(async () => {
      store = await make();
    });

    it('has none at first', async () => {
      expect(await store.read()).toBeUndefined();
    });

    it('keeps every field', async () => {
      expect(await store.write(WHOLE)).toBe(true);
      expect(await store.read()).toEqual(WHOLE);
    });

    it('takes the next version of what is stored and no other', async () => {
      expect(await store.write(documentAt(2))).toBe(false);
      expect(await store.write(documentAt(1))).toBe(true);
      expect(await store.write(documentAt(1, { generations: 9 }))).toBe(false);
      expect(await store.write(documentAt(3))).toBe(false);
      expect(await store.write(documentAt(2, { generations: 4 }))).toBe(true);
      expect(await store.read()).toEqual(documentAt(2, { generations: 4 }));
    });

    it('of two that write at once one does', async () => {
      await store.write(documentAt(1));
      const wrote = await Promise.all([1, 2, 3].map((generations) => store.write(documentAt(2, { generations }))));
      expect(wrote.filter(Boolean)).toHaveLength(1);
      expect((await store.read())?.generations).toBe(wrote.indexOf(true) + 1);
    });
  });
}
