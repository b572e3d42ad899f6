import type { ScheduleRecord } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleStore } from '../../core/ports/schedule-store.ts';
import { A, B, newNonce, newUid, NOW } from './fixtures.ts';

const makeSchedule = (given: Partial<ScheduleRecord> = {}): ScheduleRecord => ({
  v: 1,
  tenant: A,
  name: 'nightly',
  seq: 1,
  by: newNonce(),
  chain: newUid(),
  state: 'active',
  spec: { cron: '0 0 * * *', timezone: 'UTC', jitterSeconds: 0, overlap: 'skip', misfire: { policy: 'once' }, task: '{"type":"job"}' },
  anchor: NOW,
  createdAt: NOW,
  updatedAt: NOW,
  since: NOW,
  next: NOW + 1,
  open: ['nightly@1'],
  recent: [{ at: NOW, decidedAt: NOW, did: 'submitted', task: 'nightly@1' }],
  counts: { submitted: 1, skipped: 0, missed: 0, failed: 0 },
  ...given,
});

export function scheduleStoreContract(name: string, make: () => Promise<ScheduleStore>): void {
  describe(`schedule store: ${name}`, () => {
    let store: ScheduleStore;
    beforeEach(async () => {
      store = await make();
    });

    it('keeps a schedule whole, and makes it once', async () => {
      const record = makeSchedule();
      expect(await store.get(A, 'nightly')).toBeUndefined();
      expect(await store.put(A, record, undefined)).toEqual({ applied: true, found: record });
      expect(await store.get(A, 'nightly')).toEqual(record);
      expect(await store.put(A, makeSchedule({ state: 'paused' }), undefined)).toEqual({ applied: false, found: record });
    });

    it('lets one of two writers go on, and tells the other what there is', async () => {
      const record = makeSchedule();
      await store.put(A, record, undefined);
      const first = makeSchedule({ seq: 2, state: 'paused' });
      expect((await store.put(A, first, 1)).applied).toBe(true);
      expect(await store.put(A, makeSchedule({ seq: 2 }), 1)).toEqual({ applied: false, found: first });
      expect(await store.get(A, 'nightly')).toEqual(first);
    });

    it('writes nothing in place of what is gone, and removes only what was seen', async () => {
      await store.put(A, makeSchedule(), undefined);
      expect(await store.remove(A, 'nightly', 2)).toBe(false);
      expect(await store.remove(A, 'nightly', 1)).toBe(true);
      expect(await store.remove(A, 'nightly', 1)).toBe(false);
      expect(await store.put(A, makeSchedule({ seq: 2 }), 1)).toEqual({ applied: false, found: undefined });
    });

    it('lists by name, after a name, and counts up to a bound', async () => {
      const names = Array.from({ length: 12 }, (_, n) => `s-${String.fromCharCode(97 + n)}`);
      for (const one of names.toReversed()) await store.put(A, makeSchedule({ name: one }), undefined);
      const listed = async (after: string | undefined, limit: number) => (await store.list(A, after, limit)).map((record) => record.name);
      expect(await listed(undefined, 5)).toEqual(names.slice(0, 5));
      expect(await listed('s-e', 5)).toEqual(names.slice(5, 10));
      expect(await listed('s-e0', 99)).toEqual(names.slice(5));
      expect([await store.count(A, 99), await store.count(A, 5)]).toEqual([12, 5]);
    });

    it('keeps two tenants apart', async () => {
      await store.put(A, makeSchedule(), undefined);
      const theirs = makeSchedule({ tenant: B, state: 'paused' });
      expect((await store.put(B, theirs, undefined)).applied).toBe(true);
      expect(await store.get(B, 'nightly')).toEqual(theirs);
      expect(await store.list(B, undefined, 9)).toEqual([theirs]);
      expect(await store.count(B, 9)).toBe(1);
      expect(await store.remove(B, 'nightly', 1)).toBe(true);
      expect(await store.get(A, 'nightly')).toMatchObject({ tenant: A, state: 'active' });
      expect([await store.count(A, 9), await store.count(B, 9)]).toEqual([1, 0]);
    });

    it('has a directory of all of them, whose entries go unless they were renewed', async () => {
      const all = async () => (await Promise.all(Array.from({ length: store.shards }, (_, shard) => store.noted(shard)))).flat();
      await store.note(A, 'nightly', NOW);
      await store.note(B, 'nightly', NOW + 1);
      await store.note(A, 'nightly', NOW + 2);
      await store.forget({ tenant: A, name: 'nightly', at: NOW });
      expect((await all()).toSorted((a, b) => a.at - b.at)).toEqual([
        { tenant: B, name: 'nightly', at: NOW + 1 },
        { tenant: A, name: 'nightly', at: NOW + 2 },
      ]);
      await store.forget({ tenant: A, name: 'nightly', at: NOW + 2 });
      expect(await all()).toEqual([{ tenant: B, name: 'nightly', at: NOW + 1 }]);
      expect(await store.get(B, 'nightly')).toBeUndefined();
    });
  });
}

export { makeSchedule };
