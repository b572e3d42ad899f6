import { LIMITS } from '@sluice/contracts';
import fc from 'fast-check';

/** What has broken programs before: empty, control, bidirectional, half of a pair, looks like a path, a key or an injection. */
const STRINGS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\x1b[31m',
  '\r\nX-Injected: 1',
  '\t\n',
  '\ud800',
  'a\udfffb',
  '\ufffe',
  '\ufeff{}',
  '\u202eevil\u202c',
  'مرحبا بالعالم',
  'e\u0301',
  '👩‍👩‍👧‍👦',
  '\u2028',
  'İı',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '../../etc/passwd',
  '..%2f..',
  '%',
  '%zz',
  '%00',
  'a#b',
  'T#acme#1',
  'a/b',
  'a?b=c&d',
  'a;b',
  'a,b',
  "' OR 1=1 --",
  '${process.exit(1)}',
  '<script>alert(1)</script>',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e3',
  'true',
  '[]',
  '{}',
  'AAAA====',
  'eyJhIjoxfQ==',
  '9999-12-31T23:59:59Z',
  '2026-02-30T00:00:00Z',
  '2026-01-01',
  '0000-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.001Z',
];

const LENGTHS = [
  LIMITS.idLength,
  LIMITS.idLength + 1,
  LIMITS.labelValueLength,
  LIMITS.labelValueLength + 1,
  LIMITS.inlineBytes,
  LIMITS.itemBytes,
  LIMITS.itemBytes + 1,
  65_536,
];

export const oddString: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...STRINGS),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.tuple(fc.constantFrom('a', 'é', '🎈', '\0', '"'), fc.constantFrom(...LENGTHS)).map(([unit, length]) => unit.repeat(length)),
);

/** Text that stands in JSON as it is; `JSON.stringify` writes none of it. */
const RAW = ['1e999', '-1e999', '-0', '1E400', '123456789012345678901234567890', '1.0', '0.1e-999', '"\\ud800"', '"\\u0000"', '[[[[[]]]]]'];
const DEPTHS = [LIMITS.payloadDepth - 1, LIMITS.payloadDepth, LIMITS.payloadDepth + 1, 1_000, 50_000];

const raw: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...RAW),
  fc.constantFrom(...DEPTHS).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.constantFrom(...DEPTHS).map((depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)),
);

export const oddNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -1, 1, 1.5, -0.5, 1e-9, 2 ** 31, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e21, 1.7976931348623157e308, 5e-324),
  // At every limit that there is, and beyond it.
  fc.tuple(fc.constantFrom(...Object.values(LIMITS)), fc.constantFrom(-1, 0, 1, 0.5)).map(([limit, by]) => limit + by),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Marks a string that {@link jsonText} writes as it is, and a key that it writes without the mark. */
const AS_IT_IS = '\ue000';
const AGAIN = '\ue001';

export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, [], {}, [[]], [null], { '': '' }),
  oddString,
  oddNumber,
  raw.map((text) => AS_IT_IS + text),
  fc.jsonValue(),
);

/** Another key for the same name: JSON may have a name twice. */
export function again(key: string): string {
  return key + AGAIN;
}

/** JSON with what `JSON.stringify` cannot write. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.replaceAll(AGAIN, '').replaceAll(/"\ue000((?:[^"\\]|\\.)*)"/g, (_, inner: string) => JSON.parse(`"${inner}"`) as string);
}
