import { beforeEach, describe, expect, it } from 'vitest';
import { claimRates, type RateStep } from '../../core/limits/gcra.ts';
import { windowOf, type RateWindow } from '../../core/limits/rate-share.ts';
import type { Cell, PermitStore } from '../../core/ports/permit-store.ts';
import { T0 } from '../helpers/samples.ts';
import { A, B, makePermits } from './fixtures.ts';

const LANE = { tenant: A, type: 'thumbnail' };
const windows = (limits: readonly number[], now = T0): readonly RateWindow[] =>
  limits.map((limit, n) => windowOf({ limit, perSeconds: 60 ** n }, limit, now));
const stepsAt = (
  cell: Cell,
  wanted: number,
  now: number,
  rates: readonly { limit: number; perSeconds: number }[] = [],
): readonly RateStep[] => claimRates(rates, cell.tats ?? [], wanted, now, cell.rateShare?.windows).steps;

/** A lane's parts of the rates of its resources. */
export function permitRatesContract(name: string, make: () => Promise<PermitStore>): void {
  describe(`parts of resources' rates: ${name}`, () => {
    let store: PermitStore;
    let empty: Cell;
    beforeEach(async () => {
      store = await make();
      empty = await store.read(LANE, 0);
    });
    const give = (version: number, limits: readonly number[], seen: Cell) =>
      store.setRates(LANE, { version, windows: windows(limits) }, seen);

    it('are kept whole, replaced by a higher version alone, and taken away', async () => {
      const { set, cell } = await give(4, [2, 30, 400], empty);
      expect([set, cell.rateShare]).toEqual([true, { version: 4, windows: windows([2, 30, 400]) }]);
      expect((await store.read(LANE, 0)).rateShare).toEqual(cell.rateShare);
      for (const version of [3, 4]) {
        const late = await give(version, [9, 9, 9], cell);
        expect([late.set, late.cell.rateShare]).toEqual([false, cell.rateShare]);
      }
      const fewer = await give(5, [1], cell);
      expect([fewer.set, fewer.cell.rateShare]).toEqual([true, { version: 5, windows: windows([1]) }]);
      const none = await give(6, [], fewer.cell);
      expect([none.set, none.cell.rateShare]).toEqual([true, undefined]);
      // Nor does a write that comes late bring them back.
      expect((await give(5, [9], none.cell)).set).toBe(false);
      expect((await give(7, [0], none.cell)).cell.rateShare?.windows).toEqual(windows([0]));
    });

    it('are replaced as they were seen alone: not where a start has used them since', async () => {
      const { cell } = await give(1, [5, 50], empty);
      expect((await give(2, [9, 9], empty)).set).toBe(false);
      const { cell: used } = await store.spend(LANE, stepsAt(cell, 2, T0));
      const refused = await give(2, [3, 3], cell);
      expect([refused.set, refused.cell.rateShare]).toEqual([false, used.rateShare]);
      expect((await give(2, [3, 3], used)).set).toBe(true);
    });

    it('are of one lane alone', async () => {
      await give(1, [5], empty);
      expect((await store.read({ ...LANE, tenant: B }, 0)).rateShare).toBeUndefined();
      expect((await store.read(LANE, 1)).rateShare).toBeUndefined();
    });

    it('are stepped with the permits that are taken, beside rates of the lane', async () => {
      const own = [
        { limit: 4, perSeconds: 1 },
        { limit: 9, perSeconds: 10 },
      ];
      const { cell } = await give(1, [3, 60], empty);
      const rates = stepsAt(cell, 3, T0, own);
      expect(rates).toHaveLength(4);
      const taken = await store.acquire(LANE, 0, makePermits(3), 9, undefined, { rates });
      expect(taken).toMatchObject({
        granted: true,
        cell: {
          tats: [(T0 + 750) * 1_000, expect.any(Number)],
          rateShare: {
            version: 1,
            windows: [
              { limit: 3, tat: T0 * 1_000 + 3 * 333_334 },
              { limit: 60, tat: (T0 + 3_000) * 1_000 },
            ],
          },
        },
      });
      // Others have been quicker.
      expect(
        (await store.acquire(LANE, 0, makePermits(1), 9, undefined, { rates: rates.map((step) => ({ ...step, add: 1 })) })).granted,
      ).toBe(false);
      const later = stepsAt(taken.cell, 1, T0 + 400, own);
      expect((await store.acquire(LANE, 0, makePermits(1), 9, undefined, { rates: later })).granted).toBe(true);
      expect((await store.spend(LANE, later)).spent).toBe(false);
    });

    it('are stepped under the limits alone that were seen', async () => {
      const { cell } = await give(1, [9, 90], empty);
      const steps = stepsAt(cell, 2, T0);
      const { cell: lowered } = await give(2, [1, 90], cell);
      expect((await store.acquire(LANE, 0, makePermits(2), 9, undefined, { rates: steps })).granted).toBe(false);
      expect((await store.spend(LANE, steps)).spent).toBe(false);
      const { cell: none } = await give(3, [], lowered);
      expect((await store.spend(LANE, stepsAt(lowered, 1, T0))).spent).toBe(false);
      expect(none.rateShare).toBeUndefined();
    });

    it('refuse whoever has not seen them', async () => {
      const blind = { unrated: true };
      expect((await store.acquire(LANE, 0, makePermits(1), 9, undefined, blind)).granted).toBe(true);
      const own = claimRates([{ limit: 4, perSeconds: 1 }], [], 1, T0).steps;
      expect((await store.spend(LANE, own, true)).spent).toBe(true);
      const { cell } = await give(1, [5], await store.read(LANE, 0));
      const answer = await store.acquire(LANE, 0, makePermits(1), 9, undefined, blind);
      expect([answer.granted, answer.cell.rateShare]).toEqual([false, cell.rateShare]);
      expect((await store.spend(LANE, claimRates([{ limit: 4, perSeconds: 1 }], cell.tats ?? [], 1, T0).steps, true)).spent).toBe(false);
    });
  });
}
