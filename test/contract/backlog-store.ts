import type { HintedTask, Priority } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BacklogStore } from '../../core/ports/backlog-store.ts';
import type { Lane } from '../../core/ports/permit-store.ts';
import { A, B, makeHinted, NOW } from './fixtures.ts';

const LANE: Lane = { tenant: A, type: 'thumbnail' };
const OTHERS: readonly Lane[] = [
  { tenant: B, type: 'thumbnail' },
  { tenant: A, type: 'email' },
];

export function backlogStoreContract(name: string, make: () => Promise<BacklogStore>): void {
  describe(`backlog store: ${name}`, () => {
    let store: BacklogStore;
    beforeEach(async () => {
      store = await make();
    });
    const first = async (limit = 1000, lane = LANE): Promise<readonly HintedTask[]> => store.first(lane, limit);

    it('is empty at first', async () => {
      expect(await first()).toEqual([]);
      expect(await store.has(LANE, makeHinted())).toBe(false);
    });

    it('gives hints by class, then time', async () => {
      const tasks = (['low', 'high', 'normal'] as Priority[]).flatMap((priority) =>
        [NOW + 5, NOW, NOW + 86_400_000].map((at) => makeHinted({ priority, at })),
      );
      await store.put(LANE, tasks);
      const order = (await first()).map(({ priority, at }) => [priority, at - NOW]);
      expect(order).toEqual(['high', 'normal', 'low'].flatMap((priority) => [0, 5, 86_400_000].map((after) => [priority, after])));
      expect(await first(4)).toEqual((await first()).slice(0, 4));
      expect(await first(0)).toEqual([]);
    });

    it('keeps every field', async () => {
      const task = makeHinted({ expiresAt: NOW + 9, look: true, seq: 12 });
      await store.put(LANE, [task]);
      expect(await first()).toEqual([task]);
    });

    it('keeps a hint that is put again once, and one of a newer seq beside it', async () => {
      const task = makeHinted();
      const newer = { ...task, seq: 1 };
      await store.put(LANE, [task, task]);
      await store.put(LANE, [task]);
      expect(await first()).toEqual([task]);
      await store.put(LANE, [newer]);
      expect(await first()).toEqual([task, newer]);
      expect(await store.has(LANE, newer)).toBe(true);
    });

    it('removes exactly the named, and again without effect', async () => {
      const [stays, goes] = [makeHinted({ at: NOW + 1 }), makeHinted()];
      const newer = { ...goes, seq: 1, at: NOW + 2 };
      await store.put(LANE, [stays, goes, newer]);
      for (let n = 0; n < 2; n++) await store.remove(LANE, [goes]);
      expect(await first()).toEqual([stays, newer]);
      expect(await store.has(LANE, goes)).toBe(false);
    });

    it('keeps retries that wait for their budget in a place of their own', async () => {
      const [task, retry, later] = [makeHinted(), makeHinted({ again: 'retry', priority: 'high' }), makeHinted({ at: NOW + 1 })];
      await store.put(LANE, [task, later]);
      await store.put(LANE, [retry], 'budget');
      await store.put(LANE, [task], 'budget');
      expect(await first()).toEqual([task, later]);
      expect(await store.first(LANE, 10, 'budget')).toEqual([retry, task]);
      expect(await store.has(LANE, retry)).toBe(true);
      expect(await store.measure(LANE, 100)).toEqual({ count: 4, more: false, oldestAt: NOW });
      await store.remove(LANE, [task, retry]);
      expect(await first()).toEqual([later]);
      expect(await store.first(LANE, 1, 'budget')).toEqual([retry]);
      await store.remove(LANE, [retry, task], 'budget');
      expect(await store.first(LANE, 10, 'budget')).toEqual([]);
      expect(await store.has(LANE, retry)).toBe(false);
    });

    it('reads on from a class, in each place', async () => {
      const [high, normal, low] = [makeHinted({ priority: 'high' }), makeHinted({ at: NOW + 1 }), makeHinted({ priority: 'low' })];
      await store.put(LANE, [high, normal, low]);
      await store.put(LANE, [high, low], 'budget');
      expect(await store.first(LANE, 10, 'permits', 'high')).toEqual([high, normal, low]);
      expect(await store.first(LANE, 10, 'permits', 'normal')).toEqual([normal, low]);
      expect(await store.first(LANE, 1, 'permits', 'low')).toEqual([low]);
      expect(await store.first(LANE, 10, 'budget', 'normal')).toEqual([low]);
    });

    it('finds the oldest of retries behind a long backlog', async () => {
      await store.put(
        LANE,
        Array.from({ length: 60 }, (_, n) => makeHinted({ at: NOW + n })),
      );
      await store.put(LANE, [makeHinted({ at: NOW - 7, priority: 'low' })], 'budget');
      expect(await store.measure(LANE, 8)).toMatchObject({ more: true, oldestAt: NOW - 7 });
    });

    it('puts and removes nothing', async () => {
      await store.put(LANE, []);
      await store.remove(LANE, []);
      expect(await first()).toEqual([]);
    });

    it('takes more than one batch at a time', async () => {
      const tasks = Array.from({ length: 120 }, (_, n) => makeHinted({ at: NOW + n }));
      await store.put(LANE, [...tasks].reverse());
      expect(await first(100)).toEqual(tasks.slice(0, 100));
      await store.remove(LANE, tasks.slice(0, 60));
      expect(await first()).toEqual(tasks.slice(60));
    });

    it('loses nothing to others that put and remove at once', async () => {
      const tasks = Array.from({ length: 40 }, (_, n) => makeHinted({ at: NOW + n }));
      await store.put(LANE, tasks.slice(0, 20));
      await Promise.all([store.put(LANE, tasks.slice(20)), ...tasks.slice(0, 20).map((task) => store.remove(LANE, [task]))]);
      expect(await first()).toEqual(tasks.slice(20));
    });

    it('keeps tenants and types apart', async () => {
      const task = makeHinted();
      for (const lane of [LANE, ...OTHERS]) await store.put(lane, [task]);
      await store.remove(LANE, [task]);
      expect(await first()).toEqual([]);
      for (const lane of OTHERS) {
        expect(await store.has(lane, task)).toBe(true);
        expect(await first(1, lane)).toEqual([task]);
      }
    });

    it('measures nothing where nothing waits', async () => {
      expect(await store.measure(LANE, 100)).toEqual({ count: 0, more: false, oldestAt: undefined });
    });

    it('counts what waits, and finds the oldest whatever its class', async () => {
      const tasks = [NOW + 5, NOW + 1, NOW + 9].flatMap((at) => [
        makeHinted({ at, priority: 'high' }),
        makeHinted({ at: at - 1, priority: 'low' }),
      ]);
      await store.put(LANE, tasks);
      for (const lane of OTHERS) await store.put(lane, [makeHinted({ at: NOW - 99 })]);
      expect(await store.measure(LANE, 100)).toEqual({ count: 6, more: false, oldestAt: NOW });
    });

    it.each(['high', 'normal', 'low'] as Priority[])('counts a long one in part, and finds its oldest in class %s', async (priority) => {
      const crowd = (['high', 'normal', 'low'] as Priority[]).flatMap((each) =>
        Array.from({ length: 40 }, (_, n) => makeHinted({ at: NOW + n, priority: each })),
      );
      await store.put(LANE, [...crowd, makeHinted({ at: NOW - 3, priority })]);
      const { count, more, oldestAt } = await store.measure(LANE, 12);
      expect({ more, oldestAt }).toEqual({ more: true, oldestAt: NOW - 3 });
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThanOrEqual(12);
    });

    it('counts exactly up to what was asked for', async () => {
      await store.put(
        LANE,
        Array.from({ length: 50 }, (_, n) => makeHinted({ at: NOW + n })),
      );
      expect(await store.measure(LANE, 50)).toEqual({ count: 50, more: false, oldestAt: NOW });
      expect(await store.measure(LANE, 51)).toEqual({ count: 50, more: false, oldestAt: NOW });
      expect(await store.measure(LANE, 49)).toEqual({ count: 49, more: true, oldestAt: NOW, next: expect.any(String) });
      expect(await store.measure(LANE, 1)).toMatchObject({ count: 1, more: true });
    });

    it.each([1, 7, 45, 400])('goes on counting where a count of %d has ended, whatever has gone meanwhile', async (most) => {
      const tasks = Array.from({ length: 90 }, (_, n) => makeHinted({ at: NOW + n, priority: n % 3 === 0 ? 'high' : 'low' }));
      await store.put(LANE, tasks);
      await store.put(LANE, tasks.slice(0, 30), 'budget');
      const counts: number[] = [];
      let from: string | undefined;
      do {
        const size = await store.measure(LANE, most, from);
        expect([size.more, size.oldestAt]).toEqual([size.next !== undefined, from === undefined ? NOW : undefined]);
        counts.push(size.count);
        from = size.next;
        // The very first is there no more when the next ones are counted.
        await store.remove(LANE, [...tasks.slice(0, 1)]);
      } while (from !== undefined);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(120);
      expect(counts.slice(0, -1).every((count) => count === most)).toBe(true);
    });

    describe('the list of lanes', () => {
      const ats = async (): Promise<Record<string, number>> =>
        Object.fromEntries((await store.lanes()).map(({ lane, at }) => [`${lane.tenant} ${lane.type}`, at]));

      it('holds each lane once', async () => {
        expect(await store.lanes()).toEqual([]);
        for (const lane of [LANE, ...OTHERS]) await store.register(lane, NOW);
        await store.register(LANE, NOW + 60_000);
        expect(await ats()).toEqual({
          [`${A} thumbnail`]: NOW + 60_000,
          [`${B} thumbnail`]: NOW,
          [`${A} email`]: NOW,
        });
      });

      it('forgets a lane, repeatably, and leaves the others', async () => {
        for (const lane of [LANE, ...OTHERS]) await store.register(lane, NOW);
        for (let n = 0; n < 2; n++) await store.unregister({ lane: LANE, at: NOW });
        expect(Object.keys(await ats()).sort()).toEqual([`${A} email`, `${B} thumbnail`]);
      });

      it.each([
        ['later', NOW + 1],
        ['in the same millisecond', NOW],
        ['by a clock that is behind', NOW - 5_000],
      ])('keeps a lane that was noted again %s', async (_, again) => {
        await store.register(LANE, NOW);
        const [noted] = await store.lanes();
        await store.register(LANE, again);
        if (noted) await store.unregister(noted);
        const lanes = await store.lanes();
        expect(lanes.map(({ lane }) => lane)).toEqual([LANE]);
        expect(lanes[0]?.at).toBeGreaterThan(NOW);
      });
    });
  });
}
