import { beforeEach, describe, expect, it } from 'vitest';
import type { Cell, Lane, Permit, PermitStore } from '../../core/ports/permit-store.ts';
import { A, B, makePermit, makePermits } from './fixtures.ts';

const LANE: Lane = { tenant: A, type: 'thumbnail' };

/** A cell's permits have no order. */
const names = (permits: readonly Permit[]): readonly string[] => permits.map((permit) => JSON.stringify(permit)).sort();

export function permitStoreContract(name: string, make: () => Promise<PermitStore>): void {
  describe(`permit store: ${name}`, () => {
    let store: PermitStore;
    beforeEach(async () => {
      store = await make();
    });

    const holds = async (permits: readonly Permit[], lane = LANE, cell = 0): Promise<void> => {
      expect(names((await store.read(lane, cell)).permits)).toEqual(names(permits));
    };

    it('reads a lane that nobody has used as empty', async () => {
      expect(await store.read(LANE, 0)).toEqual({ permits: [], raised: 0, cleared: 0 });
    });

    describe('acquire', () => {
      it('grants up to the limit, and answers with the cell', async () => {
        const permits = makePermits(3);
        const first = await store.acquire(LANE, 0, permits.slice(0, 2), 3);
        expect(first.granted).toBe(true);
        expect(names(first.cell.permits)).toEqual(names(permits.slice(0, 2)));
        expect((await store.acquire(LANE, 0, permits.slice(2), 3)).granted).toBe(true);
        const refused = await store.acquire(LANE, 0, [makePermit()], 3);
        expect(refused.granted).toBe(false);
        expect(names(refused.cell.permits)).toEqual(names(permits));
        await holds(permits);
      });

      it('grants all or none', async () => {
        const held = makePermits(2);
        await store.acquire(LANE, 0, held, 3);
        expect((await store.acquire(LANE, 0, makePermits(2), 3)).granted).toBe(false);
        await holds(held);
      });

      it('never grants more than the limit, to an empty cell neither', async () => {
        expect((await store.acquire(LANE, 0, makePermits(3), 2)).granted).toBe(false);
        expect((await store.acquire(LANE, 0, makePermits(1), 0)).granted).toBe(false);
        await store.raise(LANE, 0);
        expect((await store.acquire(LANE, 0, makePermits(3), 2)).granted).toBe(false);
        await holds([]);
      });

      it('repeated, counts once and is granted, however full the cell and whatever the limit', async () => {
        const permits = makePermits(2);
        await store.acquire(LANE, 0, permits, 2);
        for (const limit of [2, 1, 0]) expect((await store.acquire(LANE, 0, permits, limit)).granted).toBe(true);
        await holds(permits);
      });

      it('counts once those of its permits that the cell holds already', async () => {
        const [held, fresh, over] = [makePermits(2), makePermit(), makePermit()];
        await store.acquire(LANE, 0, held, 3);
        expect((await store.acquire(LANE, 0, [...held, fresh], 3)).granted).toBe(true);
        expect((await store.acquire(LANE, 0, [...held, over], 3)).granted).toBe(false);
        await holds([...held, fresh]);
      });

      it('asked for nothing, grants it', async () => {
        expect(await store.acquire(LANE, 0, [], 0)).toMatchObject({ granted: true });
      });

      it('grants no more than the limit to any number at once', async () => {
        const asked = makePermits(20);
        const answers = await Promise.all(asked.map((permit) => store.acquire(LANE, 0, [permit], 5)));
        await holds(asked.filter((_, n) => answers[n]?.granted));
        expect(answers.filter(({ granted }) => granted)).toHaveLength(5);
      });
    });

    describe('release', () => {
      it('removes exactly its own, and again without effect', async () => {
        const [mine, theirs] = [makePermit(), makePermit()];
        const sibling = makePermit({ ...mine, nonce: 'other' });
        await store.acquire(LANE, 0, [mine, theirs, sibling], 3);
        for (let n = 0; n < 2; n++) {
          const cell: Cell = await store.release(LANE, 0, [mine]);
          expect(names(cell.permits)).toEqual(names([theirs, sibling]));
        }
      });

      it('of a cell that nobody has used does nothing', async () => {
        expect((await store.release(LANE, 0, [makePermit()])).permits).toEqual([]);
      });

      it('of nothing answers with the cell', async () => {
        const permits = makePermits(1);
        await store.acquire(LANE, 0, permits, 1);
        expect((await store.release(LANE, 0, [])).permits).toEqual(permits);
      });

      it('makes room again', async () => {
        const permit = makePermit();
        await store.acquire(LANE, 0, [permit], 1);
        await store.release(LANE, 0, [permit]);
        expect((await store.acquire(LANE, 0, makePermits(1), 1)).granted).toBe(true);
      });
    });

    describe('the backlog flag', () => {
      it('goes up by one with each raise, and beside permits', async () => {
        const permits = makePermits(1);
        await store.acquire(LANE, 0, permits, 1);
        await store.raise(LANE, 0);
        expect(await store.raise(LANE, 0)).toEqual({ permits, raised: 2, cleared: 0 });
        expect(await store.release(LANE, 0, permits)).toEqual({ permits: [], raised: 2, cleared: 0 });
      });

      it('is cleared up to the version that was read, and never back', async () => {
        for (let n = 0; n < 3; n++) await store.raise(LANE, 0);
        await store.clear(LANE, 0, 2);
        await store.clear(LANE, 0, 1);
        await store.clear(LANE, 0, 2);
        expect(await store.read(LANE, 0)).toEqual({ permits: [], raised: 3, cleared: 2 });
      });
    });

    describe('the flag of retries that wait for their budget', () => {
      it('is another one', async () => {
        await store.raise(LANE, 0, 'budget');
        expect(await store.raise(LANE, 0, 'budget')).toEqual({ permits: [], raised: 0, cleared: 0, waiting: { raised: 2, cleared: 0 } });
        await store.clear(LANE, 0, 1, 'budget');
        expect(await store.raise(LANE, 0)).toEqual({ permits: [], raised: 1, cleared: 0, waiting: { raised: 2, cleared: 1 } });
      });
    });

    describe('what is started', () => {
      const here = { at: 1_767_225_600_123, firsts: 7, retries: 1 };
      const within = { seen: undefined, base: here, next: here, most: 2 };
      const budget = async () => (await store.read(LANE, 0)).budget;

      it('is counted with the permits, and not again when a call is repeated', async () => {
        const permits = makePermits(3);
        for (let n = 0; n < 3; n++) expect((await store.acquire(LANE, 0, permits, 9, { firsts: 2, retries: 0 })).granted).toBe(true);
        expect(await budget()).toEqual({ firsts: 2, retries: 0 });
        const answer = await store.acquire(LANE, 0, makePermits(1), 9, { firsts: 1, retries: 0 });
        expect(answer.cell.budget).toEqual({ firsts: 3, retries: 0 });
      });

      it('is not counted where it is refused', async () => {
        expect((await store.acquire(LANE, 0, makePermits(2), 1, { firsts: 2, retries: 0 })).granted).toBe(false);
        expect((await budget())?.firsts ?? 0).toBe(0);
      });

      it('is refused where retries are beyond the budget, or it was seen before its window moved', async () => {
        expect((await store.acquire(LANE, 0, makePermits(3), 9, { firsts: 1, retries: 2, within })).granted).toBe(true);
        expect(await budget()).toEqual({ firsts: 1, retries: 2, base: here, next: here });
        const next = { at: here.at + 60_000, firsts: 1, retries: 2 };
        const stale = await store.acquire(LANE, 0, makePermits(1), 9, { firsts: 0, retries: 1, within: { ...within, most: 99 } });
        expect(stale.granted).toBe(false);
        const over = { seen: here, base: here, next, most: 2 };
        expect((await store.acquire(LANE, 0, makePermits(1), 9, { firsts: 0, retries: 1, within: over })).granted).toBe(false);
        expect((await store.acquire(LANE, 0, makePermits(1), 9, { firsts: 0, retries: 1, within: { ...over, most: 3 } })).granted).toBe(
          true,
        );
        expect(await budget()).toEqual({ firsts: 1, retries: 3, base: here, next });
      });

      it('never has more retries than the budget, however many ask at once', async () => {
        const asked = makePermits(12);
        const answers = await Promise.all(
          asked.map((permit) => store.acquire(LANE, 0, [permit], 50, { firsts: 0, retries: 1, within: { ...within, most: 4 } })),
        );
        // Whoever is first moves the window: the others must look again.
        expect(answers.filter(({ granted }) => granted)).toHaveLength(1);
        const again = await Promise.all(
          makePermits(12).map((permit) =>
            store.acquire(LANE, 0, [permit], 50, { firsts: 0, retries: 1, within: { ...within, seen: here, most: 4 } }),
          ),
        );
        expect(again.filter(({ granted }) => granted)).toHaveLength(3);
      });
    });

    it('keeps when the latest success began, to the second', async () => {
      const [one, two] = [makePermits(1), makePermits(1)];
      await store.acquire(LANE, 0, [...one, ...two], 2);
      const { aliveAt } = await store.release(LANE, 0, one, { aliveAt: 1_767_225_600_000 });
      expect(aliveAt).toBe(1_767_225_600_000);
      expect((await store.release(LANE, 0, two)).aliveAt).toBe(1_767_225_600_000);
    });

    it('counts successes, where there are some', async () => {
      const [one, two] = [makePermits(1), makePermits(1)];
      await store.acquire(LANE, 0, [...one, ...two], 2);
      expect((await store.release(LANE, 0, one, { good: 3 })).good).toBe(3);
      expect((await store.release(LANE, 0, two)).good).toBe(3);
      expect((await store.release(LANE, 0, two, { good: 2 })).good).toBe(5);
    });

    it('keeps tenants, types and cells apart', async () => {
      const lanes: [Lane, number][] = [
        [LANE, 0],
        [LANE, 1],
        [{ tenant: A, type: 'email' }, 0],
        [{ tenant: B, type: 'thumbnail' }, 0],
      ];
      const permits = makePermits(lanes.length);
      for (const [n, [lane, cell]] of lanes.entries()) {
        expect((await store.acquire(lane, cell, permits.slice(n, n + 1), 1)).granted).toBe(true);
      }
      // A full lane of one tenant, and its flag, are none of the other's.
      expect((await store.acquire(LANE, 0, makePermits(1), 1)).granted).toBe(false);
      await store.raise(LANE, 0);
      await store.release({ tenant: B, type: 'thumbnail' }, 0, permits.slice(0, 1));
      for (const [n, [lane, cell]] of lanes.entries()) await holds(permits.slice(n, n + 1), lane, cell);
      expect((await store.read({ tenant: B, type: 'thumbnail' }, 0)).raised).toBe(0);
    });
  });
}
