import type { Priority } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BacklogStore } from '../../core/ports/backlog-store.ts';
import type { LaneReadings } from '../../core/ports/lane-readings.ts';
import type { PermitStore } from '../../core/ports/permit-store.ts';
import { A, B, makeHinted, makePermits, NOW } from './fixtures.ts';

export interface LaneReadingsHarness {
  readonly readings: LaneReadings;
  readonly permits: PermitStore;
  readonly backlog: BacklogStore;
}

const LANE = { tenant: A, type: 'thumbnail' };
const NONE = { count: 0, more: false, oldestAt: undefined };
const NOTHING = { high: NONE, normal: NONE, low: NONE };

export function laneReadingsContract(name: string, make: () => Promise<LaneReadingsHarness>): void {
  describe(`lane readings: ${name}`, () => {
    let readings: LaneReadings;
    let permits: PermitStore;
    let backlog: BacklogStore;
    beforeEach(async () => {
      ({ readings, permits, backlog } = await make());
    });

    it('reads cells in the order in which they are asked for; one that was never used is empty', async () => {
      const [one, two] = makePermits(2);
      await permits.acquire(LANE, 0, [one!], 5);
      await permits.acquire(LANE, 2, [two!], 5);
      await permits.setShare({ tenant: B, type: 'thumbnail' }, 0, { version: 1, share: 3 });
      const names = [
        { lane: LANE, cell: 2 },
        { lane: LANE, cell: 1 },
        { lane: { tenant: B, type: 'thumbnail' }, cell: 0 },
        { lane: LANE, cell: 0 },
      ];
      const cells = await readings.cells(names);
      expect(cells.map((cell) => [cell.permits.map(({ nonce }) => nonce), cell.share?.share])).toEqual([
        [[two!.nonce], undefined],
        [[], undefined],
        [[], 3],
        [[one!.nonce], undefined],
      ]);
      expect(cells[0]).toEqual(await permits.read(LANE, 2));
      expect(await readings.cells([])).toEqual([]);
    });

    it('reads more than a hundred at a time, and one twice', async () => {
      const tenants = Array.from({ length: 130 }, (_, n) => `t${n}`);
      for (const tenant of [tenants[7]!, tenants[121]!]) await permits.raise({ tenant, type: 'thumbnail' }, 0);
      const names = [...tenants, tenants[7]!].map((tenant) => ({ lane: { tenant, type: 'thumbnail' }, cell: 0 }));
      const raised = (await readings.cells(names)).flatMap(({ raised: version }, n) => (version > 0 ? [n] : []));
      expect(raised).toEqual([7, 121, 130]);
    });

    it('finds nothing where nothing waits', async () => {
      expect(await readings.sizes(LANE, 100)).toEqual({ permits: NOTHING, budget: NOTHING });
    });

    it('counts each class of each place, and finds its oldest', async () => {
      const hints = (count: number, priority: Priority, at: number) =>
        Array.from({ length: count }, (_, n) => makeHinted({ priority, at: at + n }));
      await backlog.put(LANE, [...hints(2, 'high', NOW + 5), ...hints(3, 'low', NOW - 5)]);
      await backlog.put(LANE, [...hints(1, 'high', NOW), ...hints(4, 'normal', NOW + 9)], 'budget');
      await backlog.put({ tenant: B, type: 'thumbnail' }, hints(3, 'high', NOW - 99));
      expect(await readings.sizes(LANE, 100)).toEqual({
        permits: { high: { count: 2, more: false, oldestAt: NOW + 5 }, normal: NONE, low: { count: 3, more: false, oldestAt: NOW - 5 } },
        budget: { high: { count: 1, more: false, oldestAt: NOW }, normal: { count: 4, more: false, oldestAt: NOW + 9 }, low: NONE },
      });
    });

    it('counts a long one in part, and finds its oldest all the same', async () => {
      await backlog.put(
        LANE,
        Array.from({ length: 60 }, (_, n) => makeHinted({ at: NOW + n })),
      );
      await backlog.put(LANE, [makeHinted({ at: NOW - 7 })]);
      const { normal } = (await readings.sizes(LANE, 8)).permits;
      expect(normal).toMatchObject({ more: true, oldestAt: NOW - 7 });
      expect(normal.count).toBeGreaterThan(0);
      expect(normal.count).toBeLessThanOrEqual(8);
    });
  });
}
