import type { RedriveRecord } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RedriveStore } from '../../core/ports/redrive-store.ts';
import { A, B, newUid, NOW } from './fixtures.ts';

export function makeRedrive(given: Partial<RedriveRecord> = {}): RedriveRecord {
  return {
    v: 1,
    tenant: A,
    id: newUid(),
    version: 0,
    hash: 'h',
    filter: { type: 'thumbnail', labels: { size: 'groß' } },
    ratePerSecond: 50,
    canary: { tasks: 3, maxFailureShare: 0.25, waitSeconds: 60 },
    state: 'canary',
    slice: 0,
    run: '',
    nonce: 'n0',
    page: [{ id: 'a:1', uid: newUid() }],
    exhausted: false,
    scanned: 1,
    matched: 1,
    redriven: 0,
    skipped: 0,
    failed: { unknown_type: 2 },
    createdAt: NOW,
    updatedAt: NOW,
    ...given,
  };
}

export function redriveStoreContract(name: string, make: () => Promise<RedriveStore>): void {
  describe(`redrive store: ${name}`, () => {
    let store: RedriveStore;
    beforeEach(async () => {
      store = await make();
    });

    it('keeps every field, for its tenant alone', async () => {
      const record = makeRedrive({ ids: ['a', 'b'], endedAt: NOW, wave: ['a'], watchUntil: NOW + 1 });
      expect(await store.insert(record)).toBe(true);
      expect(await store.get(A, record.id)).toEqual(record);
      expect(await store.get(B, record.id)).toBeUndefined();
      expect(await store.list(B, 10)).toEqual([]);
    });

    it('has one of an id for each tenant', async () => {
      const record = makeRedrive();
      await store.insert(record);
      expect(await store.insert({ ...record, hash: 'other' })).toBe(false);
      expect(await store.insert({ ...record, tenant: B })).toBe(true);
      expect(await store.get(A, record.id)).toEqual(record);
    });

    it('takes a write in place of the version before it alone', async () => {
      const record = makeRedrive();
      await store.insert(record);
      await store.insert({ ...record, tenant: B });
      const next = { ...record, version: 1, redriven: 5 };
      expect(await store.replace({ ...record, version: 2 })).toBe(false);
      expect(await store.replace(next)).toBe(true);
      expect(await store.replace({ ...next, redriven: 6 })).toBe(false);
      expect(await store.get(A, record.id)).toEqual(next);
      expect(await store.get(B, record.id)).toMatchObject({ version: 0 });
      expect(await store.replace(makeRedrive({ version: 1 }))).toBe(false);
    });

    it('lists the newest first, in pages', async () => {
      const records = Array.from({ length: 7 }, (_, n) => makeRedrive({ id: newUid(NOW + n) }));
      for (const record of records) await store.insert(record);
      await store.insert(makeRedrive({ tenant: B }));
      const sorted = records.toReversed();
      expect(await store.list(A, 3)).toEqual(sorted.slice(0, 3));
      expect(await store.list(A, 3, sorted[2]?.id)).toEqual(sorted.slice(3, 6));
      expect(await store.list(A, 100, sorted[5]?.id)).toEqual(sorted.slice(6));
      expect(await store.list(A, 100, sorted[6]?.id)).toEqual([]);
    });
  });
}
