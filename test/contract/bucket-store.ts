import type { TaskHint } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BucketStore } from '../../core/ports/bucket-store.ts';
import { A, B, makeHint, makeHinted } from './fixtures.ts';

const MINUTE = 29_000_000;

export function bucketStoreContract(name: string, make: () => Promise<BucketStore>): void {
  describe(`bucket store: ${name}`, () => {
    let store: BucketStore;
    beforeEach(async () => {
      store = await make();
    });
    const read = async (minute = MINUTE, shard = 0): Promise<readonly TaskHint[]> => {
      const hints: TaskHint[] = [];
      for await (const page of store.read(minute, shard)) hints.push(...page);
      return hints;
    };

    it('has four shards unless it is told otherwise', () => {
      expect(store.shards).toBe(4);
    });

    it('reads a minute that nobody has put into as empty', async () => {
      expect(await read()).toEqual([]);
    });

    it('gives what was put, whole', async () => {
      const hint = makeHint({ tasks: [makeHinted({ look: true, expiresAt: 5 }), makeHinted({ id: 'other' })] });
      await store.put(MINUTE, 0, 'a', hint);
      expect(await read()).toEqual([hint]);
    });

    it('keeps a put that is repeated once', async () => {
      const hint = makeHint();
      await store.put(MINUTE, 0, 'a', hint);
      await store.put(MINUTE, 0, 'a', hint);
      expect(await read()).toEqual([hint]);
    });

    it('keeps minutes and shards apart', async () => {
      await store.put(MINUTE, 0, 'a', makeHint());
      expect(await read(MINUTE + 1)).toEqual([]);
      expect(await read(MINUTE, 1)).toEqual([]);
    });

    it('gives every hint of a minute that is larger than a page', async () => {
      const tasks = Array.from({ length: 500 }, (_, n) => makeHinted({ id: `task-${'x'.repeat(100)}-${n}` }));
      const names = Array.from({ length: 12 }, (_, n) => `item-${n}`);
      await Promise.all(names.map((item) => store.put(MINUTE, 2, item, makeHint({ tasks }))));
      expect(await read(MINUTE, 2)).toHaveLength(12);
    });

    it('keeps the hints of two tenants beside each other, each with its own', async () => {
      const [ofA, ofB] = [makeHint(), makeHint({ tenant: B })];
      await store.put(MINUTE, 0, 'a', ofA);
      await store.put(MINUTE, 0, 'b', ofB);
      const hints = await read();
      expect(hints.filter(({ tenant }) => tenant === A)).toEqual([ofA]);
      expect(hints.filter(({ tenant }) => tenant === B)).toEqual([ofB]);
    });

    describe('the cursor', () => {
      it('is nowhere at first', async () => {
        expect(await store.cursor(0)).toBeUndefined();
      });

      it('moves from where it was read, each shard for itself', async () => {
        expect(await store.advance(0, undefined, 10)).toBe(true);
        expect(await store.advance(0, 10, 11)).toBe(true);
        expect(await store.cursor(0)).toBe(11);
        expect(await store.cursor(1)).toBeUndefined();
      });

      it('stays when somebody else has moved it', async () => {
        await store.advance(0, undefined, 10);
        expect(await store.advance(0, undefined, 12)).toBe(false);
        expect(await store.advance(0, 9, 12)).toBe(false);
        expect(await store.advance(1, 9, 12)).toBe(false);
        expect(await store.cursor(0)).toBe(10);
        expect(await store.cursor(1)).toBeUndefined();
      });

      it('is moved by one of many', async () => {
        await store.advance(0, undefined, 10);
        const moved = await Promise.all(Array.from({ length: 8 }, () => store.advance(0, 10, 11)));
        expect(moved.filter(Boolean)).toHaveLength(1);
      });
    });
  });
}
