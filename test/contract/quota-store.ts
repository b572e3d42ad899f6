import type { QuotaRecord } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { QuotaStore } from '../../core/ports/quota-store.ts';
import { A, B, NOW } from './fixtures.ts';

export const makeQuota = (given: Partial<QuotaRecord> = {}): QuotaRecord => ({
  v: 1,
  tenant: A,
  quota: { guaranteed: 5, weight: 2.5, cap: 50, rate: 0.5, burst: 10, backlog: 1_000, maxAgeSeconds: 600, latencySensitive: true },
  updatedAt: NOW,
  ...given,
});

export function quotaStoreContract(name: string, make: () => Promise<QuotaStore>): void {
  describe(`quota store: ${name}`, () => {
    let store: QuotaStore;
    beforeEach(async () => {
      store = await make();
    });

    it('has nothing of a tenant that has none, and keeps a record whole', async () => {
      expect(await store.get(A)).toBeUndefined();
      await store.put(A, makeQuota());
      expect(await store.get(A)).toEqual(makeQuota());
    });

    it('replaces a record whole, again and again', async () => {
      await store.put(A, makeQuota());
      const bare = makeQuota({ quota: {}, updatedAt: NOW + 1 });
      await store.put(A, bare);
      await store.put(A, bare);
      expect(await store.get(A)).toEqual(bare);
    });

    it('removes one, and none', async () => {
      await store.put(A, makeQuota());
      await store.remove(A);
      await store.remove(A);
      expect(await store.get(A)).toBeUndefined();
      expect(await store.list(10)).toEqual([]);
    });

    it('keeps two tenants apart', async () => {
      await store.put(A, makeQuota());
      await store.put(B, makeQuota({ tenant: B, quota: { cap: 1 } }));
      await store.remove(A);
      expect([await store.get(A), await store.get(B)]).toEqual([undefined, makeQuota({ tenant: B, quota: { cap: 1 } })]);
    });

    it('lists them by the names of their tenants, page after page', async () => {
      const tenants = Array.from({ length: 25 }, (_, n) => `t${String(n).padStart(2, '0')}`);
      for (const tenant of tenants.toReversed()) await store.put(tenant, makeQuota({ tenant }));
      const seen: string[] = [];
      let page: readonly QuotaRecord[];
      do {
        page = await store.list(7, seen.at(-1));
        seen.push(...page.map(({ tenant }) => tenant));
      } while (page.length === 7);
      expect(seen).toEqual(tenants);
    });
  });
}
