import { beforeEach, describe, expect, it } from 'vitest';
import type { ValueKind, LastingValueStore } from '../../core/ports/value-store.ts';
import { A, B, newUid, NOW } from './fixtures.ts';

const UNTIL = NOW + 86_400_000;
const ID = 'order:1+2@x=~';

export interface ValuesUnderTest {
  readonly values: LastingValueStore;
  /** GETs a URL as a handler would. */
  readonly fetch: (url: string) => Promise<string>;
}

export function valueStoreContract(name: string, make: () => Promise<ValuesUnderTest>): void {
  describe(`value store: ${name}`, () => {
    let values: LastingValueStore;
    let fetch: ValuesUnderTest['fetch'];
    const uid = newUid();
    beforeEach(async () => {
      ({ values, fetch } = await make());
    });

    describe.each(['item', 's3'] as const)('in %s', (home) => {
      const json = JSON.stringify({ text: `grüße ${'x'.repeat(home === 'item' ? 5_000 : 100_000)}` });

      it('gives back the text, and tells its bytes', async () => {
        const value = await values.put(A, ID, uid, 'payload', json, home, UNTIL);
        expect(value).toMatchObject({ in: home, bytes: Buffer.byteLength(json) });
        expect(await values.get(A, ID, uid, 'payload', value)).toBe(json);
      });

      it('takes a put that is repeated', async () => {
        const first = await values.put(A, ID, uid, 'payload', json, home, UNTIL);
        expect(await values.put(A, ID, uid, 'payload', json, home, UNTIL)).toEqual(first);
        expect(await values.get(A, ID, uid, 'payload', first)).toBe(json);
      });

      it('keeps kinds, names, tasks and tenants apart', async () => {
        const places: readonly (readonly [string, string, string, ValueKind])[] = [
          [A, ID, uid, 'payload'],
          [A, ID, uid, 'result'],
          [A, ID, `${uid}.3`, 'result'],
          [A, ID, `${uid}.3`, 'checkpoint'],
          [A, ID, newUid(), 'payload'],
          [A, 'other', uid, 'payload'],
          [B, ID, uid, 'payload'],
        ];
        const stored = await Promise.all(places.map((place, n) => values.put(...place, `${n}`, home, UNTIL)));
        for (const [n, place] of places.entries()) {
          const value = stored[n];
          if (value) expect(await values.get(...place, value)).toBe(`${n}`);
        }
      });

      it('keeps a value for longer as it is, and makes none that is gone', async () => {
        const value = await values.put(A, ID, uid, 'payload', json, home, UNTIL);
        await values.keep(A, ID, uid, 'payload', value, UNTIL + 1, UNTIL + 60_000);
        expect(await values.get(A, ID, uid, 'payload', value)).toBe(json);
        const missing = home === 'item' ? value : { ...value, key: `${A}/none/${uid}/payload.json` };
        await values.keep(A, 'none', uid, 'payload', missing, UNTIL + 1, UNTIL + 60_000);
        await expect(values.get(A, 'none', uid, 'payload', missing)).rejects.toMatchObject({ code: 'not_found' });
      });

      it('says when a value is gone, and never gives that of another tenant', async () => {
        const value = await values.put(A, ID, uid, 'payload', json, home, UNTIL);
        await expect(values.get(B, ID, uid, 'payload', value)).rejects.toMatchObject({ code: 'not_found' });
        const missing = home === 'item' ? value : { ...value, key: `${A}/none/${uid}/payload.json` };
        const gone = values.get(A, 'none', uid, 'payload', missing);
        await expect(gone).rejects.toMatchObject({ code: 'not_found' });
      });
    });

    it('gives a URL to get a value in S3 from, to its tenant alone', async () => {
      const value = await values.put(A, ID, uid, 'payload', '{"n":1}', 's3', UNTIL);
      if (value.in !== 's3') throw new Error(`kept in ${value.in}`);
      expect(await fetch(await values.url(A, value, 60))).toBe('{"n":1}');
      await expect(values.url(B, value, 60)).rejects.toMatchObject({ code: 'not_found' });
    });
  });
}
