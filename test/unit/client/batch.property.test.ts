import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pack, repack } from '../../../packages/client/src/batch.ts';
import { encode } from '../../../packages/client/src/encode.ts';

const parsed = (body: ArrayBuffer) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as { tasks: unknown[] };
/** Any text, half a surrogate pair among it, and some that is larger than what most tasks are measured in. */
const payloadArb = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('€', '\ud800', '😀', '"', '\\') }),
  fc.constant('é'.repeat(9_000)),
);

it('a body has every task as it was, and so has the body of those that go again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(payloadArb, fc.boolean()), { minLength: 1, maxLength: 20 }), (tasks) => {
      const items = tasks.map(([payload], n) => encode({ type: 'x', id: `t${n}`, payload }));
      const { body, places } = pack(items);
      expect(parsed(body).tasks).toEqual(tasks.map(([payload], n) => ({ type: 'x', id: `t${n}`, payload })));
      const again = tasks.flatMap(([payload, refused], n) => (refused ? [{ type: 'x', id: `t${n}`, payload }] : []));
      const kept = places.filter((_, n) => tasks[n]?.[1]);
      const second = repack(body, kept);
      if (kept.length > 0) expect(parsed(second.body).tasks).toEqual(again);
      if (kept.length > 0) expect(parsed(repack(second.body, second.places).body)).toEqual(parsed(second.body));
      expect(items.reduce((sum, { bytes }) => sum + bytes + 1, '{"tasks":[]}'.length - 1)).toBe(body.byteLength);
    }),
  );
});
