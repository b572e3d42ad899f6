import type { StartChoice } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StartStore } from '../../core/ports/start-store.ts';
import { NOW } from './fixtures.ts';

const first: StartChoice = { v: 1, type: 'thumbnail', mode: 'event', since: NOW };
const second: StartChoice = { ...first, mode: 'wait', since: NOW + 1 };

export interface StartHarness {
  readonly store: StartStore;
  /** Lets time go on until what is known is what is stored. */
  readonly pass: () => Promise<void>;
}

export function startStoreContract(name: string, make: () => Promise<StartHarness>): void {
  describe(`start store: ${name}`, () => {
    let store: StartStore;
    let pass: () => Promise<void>;
    beforeEach(async () => {
      ({ store, pass } = await make());
    });

    it('knows no choice at first', async () => {
      expect(await store.known('thumbnail')).toBeUndefined();
      expect(await store.all()).toEqual([]);
    });

    it('knows what was written', async () => {
      expect(await store.write(first, undefined)).toBe(true);
      expect(await store.write({ ...first, type: 'email' }, undefined)).toBe(true);
      await pass();
      expect(await store.known('thumbnail')).toEqual(first);
      expect((await store.all()).map(({ type }) => type).toSorted()).toEqual(['email', 'thumbnail']);
    });

    it('takes a choice in place of the one that it was made from, and of no other', async () => {
      expect(await store.write(second, first)).toBe(false);
      await store.write(first, undefined);
      expect(await store.write(second, undefined)).toBe(false);
      expect(await store.write(second, { ...first, since: NOW - 1 })).toBe(false);
      expect(await store.write(second, first)).toBe(true);
      expect(await store.write({ ...second, since: NOW + 2 }, first)).toBe(false);
      await pass();
      expect(await store.known('thumbnail')).toEqual(second);
    });

    it('lets one of many writers win', async () => {
      await store.write(first, undefined);
      const wrote = await Promise.all([1, 2, 3, 4, 5].map((ms) => store.write({ ...second, since: NOW + ms }, first)));
      expect(wrote.filter(Boolean)).toHaveLength(1);
    });

    it('forgets a choice where it is still there', async () => {
      await store.write(first, undefined);
      await store.write(second, first);
      await store.remove(first);
      await pass();
      expect(await store.known('thumbnail')).toEqual(second);
      await store.remove(second);
      await store.remove(second);
      await pass();
      expect(await store.known('thumbnail')).toBeUndefined();
      expect(await store.write(first, undefined)).toBe(true);
    });

    it('adds up what is counted under each choice', async () => {
      expect(await store.counted(first)).toEqual({ runs: 0, slow: 0, long: 0 });
      await Promise.all([1, 2, 3].map((n) => store.add(first, { runs: 10 * n, slow: n, long: 0 })));
      await store.add(second, { runs: 1, slow: 1, long: 1 });
      await store.add({ ...first, type: 'email' }, { runs: 7, slow: 0, long: 0 });
      expect(await store.counted(first)).toEqual({ runs: 60, slow: 6, long: 0 });
      expect(await store.counted(second)).toEqual({ runs: 1, slow: 1, long: 1 });
    });
  });
}
