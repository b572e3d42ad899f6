import { beforeEach, describe, expect, it } from 'vitest';
import { AIMD_DEFAULTS, initial, type Aimd } from '../../core/limits/aimd.ts';
import { claimRates, type Rate, type RateStep } from '../../core/limits/gcra.ts';
import type { Cell, Lane, PermitStore } from '../../core/ports/permit-store.ts';
import { T0 } from '../helpers/samples.ts';
import { A, makePermits } from './fixtures.ts';

const AIMD = AIMD_DEFAULTS;
const LANE: Lane = { tenant: A, type: 'thumbnail' };

/** What limits a cell beside what its caller asks for. */
export function permitLimitsContract(name: string, make: () => Promise<PermitStore>): void {
  describe(`limits of lane cells: ${name}`, () => {
    let store: PermitStore;
    beforeEach(async () => {
      store = await make();
    });

    describe('the limit that a cell found itself', () => {
      const known = (limit: number, over: Partial<Aimd> = {}): Aimd => ({ ...initial(AIMD, 40), limit, ...over });
      const unused: Cell = { permits: [], raised: 0, cleared: 0 };

      it('is changed on condition that it is as it was seen', async () => {
        const full = known(17, { top: 20, step: 1, round: 123_456, since: T0 + 1, lag: 60_000, cutAt: T0, flight: 19, late: 2 });
        const first = await store.adapt(LANE, 0, full, unused);
        expect(first).toMatchObject({ adapted: true, cell: { aimd: full } });
        expect(await store.adapt(LANE, 0, known(9), unused)).toMatchObject({ adapted: false, cell: { aimd: full } });
        expect(await store.adapt(LANE, 0, known(9), { ...unused, aimd: { ...full, slow: 1 } })).toMatchObject({ adapted: false });
        expect(await store.adapt(LANE, 0, known(9), { ...unused, aimd: { ...full, limit: 18 } })).toMatchObject({ adapted: false });
        expect(await store.adapt(LANE, 0, known(9), first.cell)).toMatchObject({ adapted: true, cell: { aimd: known(9) } });
        expect((await store.read(LANE, 0)).aimd).toEqual(known(9));
        expect((await store.read(LANE, 1)).aimd).toBeUndefined();
      });

      it('changes together with the number of cells', async () => {
        const { cell } = await store.adapt(LANE, 0, known(40), unused, 2);
        expect(cell).toMatchObject({ cells: 2, aimd: { limit: 40 } });
        expect(await store.adapt(LANE, 0, known(41), { ...cell, cells: 3 }, 4)).toMatchObject({ adapted: false, cell: { cells: 2 } });
        expect(await store.adapt(LANE, 0, known(40, { round: 1 }), cell, 4)).toMatchObject({ adapted: true, cell: { cells: 4 } });
      });

      it('refuses what asks for more than it, also where the caller has not heard of it', async () => {
        await store.adapt(LANE, 0, known(3), unused);
        const refused = await store.acquire(LANE, 0, makePermits(1), 4);
        expect(refused).toMatchObject({ granted: false, cell: { permits: [], aimd: { limit: 3 } } });
        expect((await store.acquire(LANE, 0, makePermits(2), 3)).granted).toBe(true);
        expect((await store.acquire(LANE, 0, makePermits(2), 3)).granted).toBe(false);
        // Who has heard of less asks for less.
        expect((await store.acquire(LANE, 0, makePermits(1), 2)).granted).toBe(false);
        // And a type that does without it does not mind.
        expect((await store.acquire(LANE, 0, makePermits(2), 4, undefined, { adaptive: false })).granted).toBe(true);
      });

      it('may be passed by what is claimed ahead, by as many as that says, and not where it is less than the caller thinks', async () => {
        await store.adapt(LANE, 0, known(4), unused);
        const ahead = { ahead: 2 };
        expect((await store.acquire(LANE, 0, makePermits(7), 4, undefined, ahead)).granted).toBe(false);
        expect((await store.acquire(LANE, 0, makePermits(5), 4, undefined, ahead)).granted).toBe(true);
        expect((await store.acquire(LANE, 0, makePermits(2), 4, undefined, ahead)).granted).toBe(false);
        expect((await store.acquire(LANE, 0, makePermits(1), 4)).granted).toBe(false);
        const last = makePermits(1);
        expect((await store.acquire(LANE, 0, last, 4, undefined, ahead)).cell.permits).toHaveLength(6);
        expect((await store.acquire(LANE, 0, last, 4, undefined, ahead)).granted).toBe(true);
        expect((await store.acquire(LANE, 0, makePermits(1), 5, undefined, { ahead: 10 })).granted).toBe(false);
      });

      it('that a class leaves to those above it may be passed likewise', async () => {
        const classes = { seen: [], now: T0, reserve: { for: ['high' as const], since: T0 - 1_000, limit: 2 } };
        await store.acquire(LANE, 0, makePermits(1), 4, undefined, { classes: { seen: ['high'], now: T0 } });
        expect((await store.acquire(LANE, 0, makePermits(2), 4, undefined, { classes })).granted).toBe(false);
        expect((await store.acquire(LANE, 0, makePermits(2), 4, undefined, { classes, ahead: 1 })).granted).toBe(true);
        expect((await store.acquire(LANE, 0, makePermits(1), 4, undefined, { classes, ahead: 1 })).granted).toBe(false);
      });

      it('is no matter to a call that is repeated', async () => {
        const permits = makePermits(2);
        await store.acquire(LANE, 0, permits, 2);
        await store.adapt(LANE, 0, known(1), unused);
        expect((await store.acquire(LANE, 0, permits, 2)).granted).toBe(true);
      });

      it('is changed by one of several at once', async () => {
        const limits = [2, 3, 4, 5, 6];
        const answers = await Promise.all(limits.map((limit) => store.adapt(LANE, 0, known(limit), unused)));
        expect(answers.filter(({ adapted }) => adapted)).toHaveLength(1);
        expect((await store.read(LANE, 0)).aimd?.limit).toBe(limits[answers.findIndex(({ adapted }) => adapted)]);
      });
    });

    describe('the share of a cell', () => {
      it('is replaced by one of a higher version alone', async () => {
        const given = { version: 2, share: 5, cells: 3 };
        expect(await store.setShare(LANE, 0, given)).toMatchObject({ set: true, cell: { share: given } });
        for (const version of [1, 2])
          expect(await store.setShare(LANE, 0, { version, share: 9 })).toMatchObject({ set: false, cell: { share: given } });
        expect((await store.setShare(LANE, 0, { version: 3, share: 0, cells: 1 })).cell.share).toEqual({ version: 3, share: 0, cells: 1 });
        expect((await store.setShare(LANE, 0, { version: 4 })).cell.share).toEqual({ version: 4 });
        expect((await store.read(LANE, 0)).share).toEqual({ version: 4 });
      });

      it('refuses what asks for more than it', async () => {
        await store.setShare(LANE, 0, { version: 1, share: 1, cells: 1 });
        expect((await store.acquire(LANE, 0, makePermits(1), 2)).granted).toBe(false);
        expect((await store.acquire(LANE, 0, makePermits(1), 1)).granted).toBe(true);
        await store.setShare(LANE, 0, { version: 2, share: 0, cells: 1 });
        expect((await store.acquire(LANE, 0, makePermits(1), 1)).granted).toBe(false);
        await store.setShare(LANE, 0, { version: 3 });
        expect((await store.acquire(LANE, 0, makePermits(1), 2)).granted).toBe(true);
      });
    });

    describe('an entry pool', () => {
      const POOL: Lane = { tenant: '~', type: 'thumbnail' };

      it('keeps what one lane may have of it beside the share', async () => {
        const share = { version: 2, share: 30, cells: 1, each: 4 };
        expect((await store.setShare(POOL, 0, share)).cell.share).toEqual(share);
        expect((await store.setShare(POOL, 0, { version: 3, share: 30, cells: 1 })).cell.share).toEqual({
          version: 3,
          share: 30,
          cells: 1,
        });
      });

      it('has lanes in line, each once and a few at most, until they are called', async () => {
        await store.lineUp(POOL, 1, 'a', 2);
        expect((await store.lineUp(POOL, 1, 'b', 2)).line?.toSorted()).toEqual(['a', 'b']);
        expect((await store.lineUp(POOL, 1, 'a', 2)).line).toHaveLength(2);
        expect((await store.lineUp(POOL, 1, 'c', 2)).line?.toSorted()).toEqual(['a', 'b']);
        await store.called(POOL, 1, ['a', 'nobody']);
        expect((await store.read(POOL, 1)).line).toEqual(['b']);
        await store.called(POOL, 1, ['b']);
        await store.called(POOL, 1, []);
        expect((await store.read(POOL, 1)).line).toBeUndefined();
        expect((await store.read(POOL, 0)).line).toBeUndefined();
      });

      it('is filled to less while lanes are in line', async () => {
        expect((await store.acquire(POOL, 0, makePermits(2), 4, undefined, { yields: 3 })).granted).toBe(true);
        await store.lineUp(POOL, 0, 'a', 3);
        expect((await store.acquire(POOL, 0, makePermits(2), 4, undefined, { yields: 3 })).granted).toBe(false);
        expect((await store.acquire(POOL, 0, makePermits(1), 4, undefined, { yields: 3 })).granted).toBe(true);
        expect((await store.acquire(POOL, 0, makePermits(1), 4, undefined, { yields: 3 })).granted).toBe(false);
        // Who was in line itself may fill it.
        expect((await store.acquire(POOL, 0, makePermits(1), 4)).granted).toBe(true);
      });

      it('is not filled at all by others where it has but one permit, nor where nothing is held', async () => {
        await store.lineUp(POOL, 0, 'a', 3);
        expect((await store.acquire(POOL, 0, makePermits(1), 1, undefined, { yields: 0 })).granted).toBe(false);
        await store.called(POOL, 0, ['a']);
        expect((await store.acquire(POOL, 0, makePermits(1), 1, undefined, { yields: 0 })).granted).toBe(true);
      });

      it('leaves the budget of retries to their own lane, where they are counted without permits', async () => {
        const mark = { at: T0, firsts: 0, retries: 0 };
        const within = { seen: undefined, base: mark, next: mark, most: 3 };
        const first = await store.count(LANE, 0, { firsts: 0, retries: 2, within });
        expect(first).toMatchObject({ counted: true, cell: { permits: [], budget: { firsts: 0, retries: 2, next: mark } } });
        expect(await store.count(LANE, 0, { firsts: 0, retries: 1, within })).toMatchObject({ counted: false });
        expect(await store.count(LANE, 0, { firsts: 0, retries: 2, within: { ...within, seen: mark } })).toMatchObject({ counted: false });
        expect(await store.count(LANE, 0, { firsts: 0, retries: 1, within: { ...within, seen: mark } })).toMatchObject({ counted: true });
        const starts = await store.count(LANE, 0, { firsts: 2, retries: 0 });
        expect(starts).toMatchObject({ counted: true, cell: { budget: { firsts: 2, retries: 3 } } });
      });
    });

    it('say until when somebody looks for room, noted with permits that are taken', async () => {
      const permits = makePermits(1);
      expect((await store.acquire(LANE, 0, permits, 1, undefined, { attended: T0 + 300 })).cell.attendedUntil).toBe(T0 + 300);
      await store.acquire(LANE, 0, makePermits(1), 1, undefined, { attended: T0 + 900 });
      expect((await store.read(LANE, 0)).attendedUntil).toBe(T0 + 300);
      // Who attended may have left when something is put into the backlog.
      expect((await store.raise(LANE, 0)).attendedUntil).toBeUndefined();
    });

    describe('rates', () => {
      const rates: Rate[] = [
        { limit: 2, perSeconds: 1 },
        { limit: 3, perSeconds: 60 },
      ];
      const stepsAt = (cell: Cell | undefined, wanted: number, now: number): readonly RateStep[] =>
        claimRates(rates, cell?.tats ?? [], wanted, now).steps;

      it('are stepped with the permits that are taken', async () => {
        const first = await store.acquire(LANE, 0, makePermits(2), 9, undefined, { rates: stepsAt(undefined, 2, T0) });
        expect(first).toMatchObject({ granted: true, cell: { tats: [(T0 + 1_000) * 1_000, (T0 + 40_000) * 1_000] } });
        const [lost, late] = [stepsAt(undefined, 1, T0), stepsAt(first.cell, 1, T0 + 1_000)];
        expect((await store.acquire(LANE, 0, makePermits(1), 9, undefined, { rates: lost })).granted).toBe(false);
        const second = await store.acquire(LANE, 0, makePermits(1), 9, undefined, { rates: late });
        expect(second).toMatchObject({ granted: true, cell: { tats: [(T0 + 1_500) * 1_000, (T0 + 60_000) * 1_000] } });
        // One that others have used up is refused, as is one that waits for nothing but a permit.
        expect((await store.acquire(LANE, 0, makePermits(1), 9, undefined, { rates: late })).granted).toBe(false);
      });

      it('are stepped once by a call that is repeated, and not by one that finds no room', async () => {
        const permits = makePermits(1);
        const { cell } = await store.acquire(LANE, 0, permits, 1, undefined, { rates: stepsAt(undefined, 1, T0) });
        const steps = stepsAt(cell, 1, T0);
        expect((await store.acquire(LANE, 0, permits, 1, undefined, { rates: steps })).granted).toBe(true);
        expect((await store.acquire(LANE, 0, makePermits(1), 1, undefined, { rates: steps })).granted).toBe(false);
        expect((await store.read(LANE, 0)).tats).toEqual(cell.tats);
      });

      it('are stepped without permits, and start anew from a time that they could not have come to', async () => {
        const { cell } = await store.spend(LANE, stepsAt(undefined, 2, T0));
        expect(await store.spend(LANE, stepsAt(undefined, 2, T0))).toMatchObject({ spent: false, cell: { tats: cell.tats } });
        const stray = claimRates([{ limit: 9, perSeconds: 1 }], [cell.tats?.[1]], 1, T0).steps;
        expect(stray).toMatchObject([{ was: 'stray' }]);
        expect((await store.spend(LANE, stray)).spent).toBe(false);
        const [, second] = claimRates(
          [
            { limit: 2, perSeconds: 1 },
            { limit: 30, perSeconds: 2 },
          ],
          cell.tats ?? [],
          1,
          T0 + 1_000,
        ).steps;
        const [first] = stepsAt(cell, 1, T0 + 1_000);
        if (!first || !second) throw new Error('no steps');
        expect(second.was).toBe('stray');
        const { spent, cell: after } = await store.spend(LANE, [first, second]);
        expect(spent).toBe(true);
        expect(after.tats?.[1]).toBe(second.now + second.add);
      });

      it('tell a lane once when they let it go on', async () => {
        expect(await store.wake(LANE, T0 + 5_000, T0)).toBe(true);
        expect((await store.read(LANE, 0)).wakeAt).toBe(T0 + 5_000);
        for (const at of [5_000, 9_000]) expect(await store.wake(LANE, T0 + at, T0 + 1_000)).toBe(false);
        expect(await store.wake(LANE, T0 + 3_000, T0 + 1_000)).toBe(true);
        expect(await store.wake(LANE, T0 + 8_000, T0 + 3_000)).toBe(true);
      });
    });
  });
}
