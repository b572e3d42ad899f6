import type { Grant, RateGrant, RateRest } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DivisionStore } from '../../core/ports/division-store.ts';
import { A, B, NOW } from './fixtures.ts';

const grantOf = (tenant: string, given: Partial<Grant> = {}): Grant => ({ v: 1, tenant, type: 'thumbnail', shares: [40, 2], ...given });

export function divisionStoreContract(name: string, make: () => Promise<DivisionStore>): void {
  describe(`division store: ${name}`, () => {
    let store: DivisionStore;
    beforeEach(async () => {
      store = await make();
    });

    it('gives the lease to one at a time, with a higher round each time', async () => {
      const first = (await store.begin('one', NOW, NOW + 60_000)) ?? 0;
      expect(await store.begin('two', NOW + 59_999, NOW + 120_000)).toBeUndefined();
      const again = (await store.begin('one', NOW + 1, NOW + 60_000)) ?? 0;
      expect(again).toBeGreaterThan(first);
      await store.end('one');
      expect(await store.begin('two', NOW + 2, NOW + 60_000)).toBeGreaterThan(again);
    });

    it('gives it to one of two that ask at once', async () => {
      const rounds = await Promise.all(['one', 'two', 'three'].map((holder) => store.begin(holder, NOW, NOW + 1_000)));
      expect(rounds.filter((round) => round !== undefined)).toHaveLength(1);
    });

    it('gives it to another once it has run out, and lets the one before change nothing', async () => {
      await store.begin('one', NOW, NOW + 1_000);
      expect(await store.begin('two', NOW + 1_000, NOW + 2_000)).toBeDefined();
      expect([await store.extend('one', NOW + 9_000), await store.end('one')]).toEqual([false, false]);
      expect(await store.begin('three', NOW + 1_500, NOW + 3_000)).toBeUndefined();
    });

    it('makes it last longer', async () => {
      await store.begin('one', NOW, NOW + 1_000);
      expect(await store.extend('one', NOW + 5_000)).toBe(true);
      expect(await store.begin('two', NOW + 2_000, NOW + 9_000)).toBeUndefined();
    });

    it('tells its holder at the end that another was turned away, once', async () => {
      await store.begin('one', NOW, NOW + 1_000);
      await store.begin('two', NOW, NOW + 1_000);
      expect(await store.end('one')).toBe(true);
      await store.begin('one', NOW, NOW + 1_000);
      expect(await store.end('one')).toBe(false);
      expect(await store.end('one')).toBe(false);
    });

    it('keeps grants whole, replaces and removes them, and keeps two tenants apart', async () => {
      const lane = { tenant: A, type: 'thumbnail' };
      await store.put(lane, grantOf(A, { closed: true, idleSince: NOW }));
      await store.put({ tenant: B, type: 'thumbnail' }, grantOf(B));
      await store.put({ tenant: '~', type: 'thumbnail' }, grantOf('~', { shares: [1] }));
      const sorted = async () => (await store.grants()).toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
      expect(await sorted()).toEqual([grantOf(A, { closed: true, idleSince: NOW }), grantOf(B), grantOf('~', { shares: [1] })]);
      await store.put(lane, grantOf(A, { shares: [] }));
      await store.remove({ tenant: B, type: 'thumbnail' });
      await store.remove({ tenant: B, type: 'thumbnail' });
      expect(await sorted()).toEqual([grantOf(A, { shares: [] }), grantOf('~', { shares: [1] })]);
    });

    it('keeps what lanes have of rates apart from their shares, replaces and removes it, and keeps two tenants apart', async () => {
      const rates = (tenant: string, limit: number): RateGrant => ({
        v: 1,
        tenant,
        type: 'thumbnail',
        rates: [
          { limit, perSeconds: 1 },
          { limit: 0, perSeconds: 3_600 },
        ],
      });
      const sorted = async () => (await store.rateGrants()).toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1));
      expect(await sorted()).toEqual([]);
      const [a, b] = [A, B].map((tenant) => ({ tenant, type: 'thumbnail' }));
      if (!a || !b) throw new Error('no lanes');
      await store.put(a, grantOf(A));
      await store.putRates(a, rates(A, 7));
      await store.putRates(b, rates(B, 3));
      expect(await sorted()).toEqual([rates(A, 7), rates(B, 3)]);
      await store.putRates(a, rates(A, 2));
      await store.removeRates(b);
      await store.removeRates(b);
      expect(await sorted()).toEqual([rates(A, 2)]);
      expect(await store.grants()).toEqual([grantOf(A)]);
    });

    it('keeps what rates of resources have left', async () => {
      const rest = (resource: string, tokens: number): RateRest => ({
        v: 1,
        resource,
        at: NOW,
        windows: [
          { perSeconds: 1, free: 20, tokens },
          { perSeconds: 60, free: 0, tokens: 0 },
        ],
      });
      const sorted = async () => (await store.rateRests()).toSorted((a, b) => (a.resource < b.resource ? -1 : 1));
      expect(await sorted()).toEqual([]);
      await store.putRest(rest('mail', 1.25));
      await store.putRest(rest('stripe-api', 20));
      await store.putRest(rest('stripe-api', 0.000_001));
      expect(await sorted()).toEqual([rest('mail', 1.25), rest('stripe-api', 0.000_001)]);
      await store.removeRest('mail');
      await store.removeRest('mail');
      expect(await sorted()).toEqual([rest('stripe-api', 0.000_001)]);
      expect(await store.rateGrants()).toEqual([]);
    });
  });
}
