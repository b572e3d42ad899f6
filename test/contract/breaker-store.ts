import { breakerKey, type Breaker } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import { newBreaker } from '../../core/breakers/decide.ts';
import type { BreakerList } from '../../core/ports/breaker-list.ts';
import type { BreakerStore } from '../../core/ports/breaker-store.ts';
import { NOW } from './fixtures.ts';

const KEY = breakerKey('thumbnail');

function breakerAt(seq: number, over: Partial<Breaker> = {}): Breaker {
  return { ...newBreaker(KEY, NOW), seq, ...over };
}

export interface BreakerHarness {
  readonly store: BreakerStore;
  readonly list: BreakerList;
  /** Lets time go on until what is known is what is stored. */
  readonly pass: () => Promise<void>;
}

export function breakerStoreContract(name: string, make: () => Promise<BreakerHarness>): void {
  describe(`breaker store: ${name}`, () => {
    let store: BreakerStore;
    let list: BreakerList;
    let pass: () => Promise<void>;
    beforeEach(async () => {
      ({ store, list, pass } = await make());
    });

    it('has none at first', async () => {
      expect(await store.read(KEY)).toBeUndefined();
      expect(await store.known(KEY)).toBeUndefined();
      expect(await store.notClosed()).toEqual([]);
    });

    it('keeps every field', async () => {
      const breaker = breakerAt(1, {
        state: 'half-open',
        openedAt: NOW,
        closedAt: NOW,
        pauseMs: 5,
        probeAt: NOW,
        wave: 1,
        ended: 1,
        passed: 1,
        crashed: 1,
        probes: [['01KDVDNA00F2CR961DJS96NHR6', NOW]],
        shy: ['acme'],
        evidence: {
          crashes: [{ at: NOW, seen: NOW, tenant: 'acme', uid: '01KDVDNA00F2CR961DJS96NHR6', n: 2 }],
          alive: [[1, 2]],
          tenants: [['acme', NOW]],
          aliveMs: 3,
        },
      });
      expect(await store.write(breaker)).toEqual({ applied: true, breaker });
      expect(await store.read(KEY)).toEqual(breaker);
    });

    it('takes a write of the next seq alone, and answers one that lost with what is there', async () => {
      expect((await store.write(breakerAt(2))).applied).toBe(false);
      await store.write(breakerAt(1));
      expect(await store.write(breakerAt(1, { state: 'open' }))).toEqual({ applied: false, breaker: breakerAt(1) });
      expect(await store.write(breakerAt(3, { state: 'open' }))).toEqual({ applied: false, breaker: breakerAt(1) });
      expect((await store.write(breakerAt(2, { state: 'open' }))).applied).toBe(true);
      expect(await store.read(KEY)).toEqual(breakerAt(2, { state: 'open' }));
    });

    it('lets one of many writers win', async () => {
      const wrote = await Promise.all([1, 2, 3, 4, 5].map((opening) => store.write(breakerAt(1, { opening }))));
      expect(wrote.filter(({ applied }) => applied)).toHaveLength(1);
    });

    it('lists all of them, closed ones too, in the order of their keys', async () => {
      expect(await list.all()).toEqual([]);
      const other = { ...breakerAt(1), key: breakerKey('email') };
      const open = breakerAt(1, { state: 'open' });
      await store.write(open);
      await store.write(other);
      expect(await list.all()).toEqual([other, open]);
    });

    it('knows those that are not closed', async () => {
      const other = breakerKey('email');
      await store.write(breakerAt(1, { state: 'open' }));
      await store.write({ ...breakerAt(1), key: other });
      await pass();
      expect(await store.known(KEY)).toEqual(breakerAt(1, { state: 'open' }));
      expect(await store.known(other)).toBeUndefined();
      expect(await store.notClosed()).toEqual([breakerAt(1, { state: 'open' })]);
      await store.write(breakerAt(2, { since: NOW + 1 }));
      await pass();
      expect(await store.notClosed()).toEqual([]);
    });
  });
}
