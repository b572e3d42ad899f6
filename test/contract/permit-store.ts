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
