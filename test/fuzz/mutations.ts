import { LIMITS } from '@sluice/contracts';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { again, jsonText, oddString, oddValue } from './odd.ts';
import { encoded, type Caller, type Draft } from './requests.ts';

type Mutation = (draft: Draft) => Draft;

/** Drafts with one to three things that are not as the document says; a few still are, by chance. */
export function mutatedDrafts(valid: fc.Arbitrary<Draft>): fc.Arbitrary<Draft> {
  return fc
    .tuple(valid, fc.array(mutation(), { minLength: 1, maxLength: 3 }))
    .map(([draft, mutations]) => mutations.reduce((changed, mutate) => mutate(changed), draft));
}

function mutation(): fc.Arbitrary<Mutation> {
  return fc.oneof(
    { weight: 8, arbitrary: jsonMutation() },
    { weight: 3, arbitrary: bodyMutation() },
    { weight: 3, arbitrary: queryMutation() },
    { weight: 2, arbitrary: pathMutation() },
    { weight: 2, arbitrary: headerMutation() },
    {
      weight: 1,
      arbitrary: fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'POST', 'TRACE', 'PROPFIND').map(methodMutation),
    },
    { weight: 1, arbitrary: fc.constantFrom<Caller>('reader', 'stranger', 'none').map(callerMutation) },
  );
}

const as = (what: string, draft: Draft, changes: Partial<Draft>): Draft => ({
  ...draft,
  ...changes,
  mutations: [...draft.mutations, what],
});
const methodMutation =
  (method: string): Mutation =>
  (draft) =>
    as(`method ${method}`, draft, { method });
const callerMutation =
  (caller: Caller): Mutation =>
  (draft) =>
    as(`caller ${caller}`, draft, { caller });

type Path = readonly (string | number)[];

/** Every place in a value, itself first. */
function placesOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  const entries: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [at, ...entries.flatMap(([key, inner]) => placesOf(inner, [...at, key]))];
}

/** The value with another at a place; `change` is given what is there, and `undefined` of it leaves it out. */
function changedAt(value: unknown, [key, ...rest]: Path, change: (there: unknown) => unknown): unknown {
  if (key === undefined) return change(value);
  if (Array.isArray(value)) {
    const inner = changedAt(value[key as number], rest, change);
    return inner === undefined ? value.toSpliced(key as number, 1) : value.with(key as number, inner);
  }
  const entries = Object.entries(value as object).map(
    ([name, each]) => [name, name === key ? changedAt(each, rest, change) : each] as const,
  );
  return fromEntries(entries.filter(([, each]) => each !== undefined));
}

/** `Object.fromEntries` that keeps `__proto__` as a key. */
function fromEntries(entries: Iterable<readonly [string, unknown]>): object {
  const made = {};
  for (const [key, value] of entries) Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

/** How often an item is repeated; a full batch is rare, since it is as much work as hundreds of requests. */
function lengthOf(where: number): number {
  const { batchTasks } = LIMITS;
  return where % 20 === 0 ? batchTasks : where % 3 === 0 ? batchTasks + 1 : 20;
}

function jsonMutation(): fc.Arbitrary<Mutation> {
  const kind = fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'add', 'repeat', 'wrap', 'many');
  return fc.tuple(kind, fc.nat(), oddValue, oddString).map(([kind, where, value, key]) => (draft) => {
    if (draft.body !== undefined) return draft;
    const json = draft.json ?? {};
    const places = placesOf(json);
    const place = places[where % places.length] ?? [];
    const change = (there: unknown): unknown => {
      const isObject = typeof there === 'object' && there !== null && !Array.isArray(there);
      if (kind === 'remove') return place.length === 0 ? {} : undefined;
      if (kind === 'wrap') return [there];
      if (kind === 'many' && Array.isArray(there)) return Array.from({ length: lengthOf(where) }, () => (there as unknown[])[0] ?? value);
      if (kind === 'add' && isObject) return fromEntries([...Object.entries(there), [key, value]]);
      if (kind === 'repeat' && isObject)
        return fromEntries(
          Object.entries(there).flatMap(([name, each]) => [
            [name, each],
            [again(name), value],
          ]),
        );
      return value;
    };
    const headers = { 'content-type': 'application/json', ...draft.headers };
    return as(`json ${kind} at /${place.join('/')}`, draft, { json: changedAt(json, place, change), headers });
  });
}

/** Sizes at the limits, and such as no JSON has; the largest are rare, since each takes its time. */
const SIZES = [
  LIMITS.payloadBytes - 2,
  LIMITS.payloadBytes - 1,
  LIMITS.payloadBytes + 1,
  LIMITS.bodyBytes,
  LIMITS.bodyBytes + 1,
  10_485_761,
];

function bodyMutation(): fc.Arbitrary<Mutation> {
  const text = (name: string, change: (text: string) => string | Buffer): [string, Mutation] => [
    name,
    (draft) => as(`body ${name}`, draft, { body: Buffer.from(change(draft.body?.toString() ?? jsonText(draft.json ?? {}))) }),
  ];
  const changes = [
    text('empty', () => ''),
    text('blank', () => ' \n\t'),
    text('byte order mark', (json) => `\ufeff${json}`),
    text('UTF-16', (json) => Buffer.from(json, 'utf16le')),
    text('not UTF-8', (json) =>
      Buffer.concat([Buffer.from(json.slice(0, -1)), Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80]), Buffer.from('}')]),
    ),
    text('single quotes', (json) => json.replaceAll('"', "'")),
    text('trailing comma', (json) => json.replace(/\}$/, ',}')),
    text('comment', (json) => `/* */${json}// x`),
    text('twice', (json) => json + json),
    text('lines', (json) => `${json}\n${json}\n`),
    text('base64', (json) => Buffer.from(json).toString('base64')),
    text('compressed', (json) => gzipSync(json)),
    text('form', () => 'type=narrow&id=a'),
    text('NUL inside', (json) => json.replace(',', ',\0')),
    text('brackets', () => '['.repeat(100_000)),
    text('random', () => Buffer.from(Array.from({ length: 256 }, (_, n) => (n * 167 + 13) % 256))),
    text('no number', () => '{"type":"narrow","delaySeconds":NaN}'),
  ].map(([, mutate]) => mutate);
  const cut = fc.nat().map((where): Mutation => (draft) => {
    const whole = Buffer.from(jsonText(draft.json ?? {}));
    return as('body cut', draft, { body: whole.subarray(0, where % (whole.length + 1)) });
  });
  const large = fc.constantFrom(...SIZES).map((bytes): Mutation => (draft) => {
    const frame = '{"type":"narrow","delaySeconds":100000,"payload":""}';
    return as(`body of ${bytes} bytes`, draft, { body: Buffer.from(frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`)) });
  });
  return fc.oneof({ weight: 20, arbitrary: fc.constantFrom(...changes) }, { weight: 10, arbitrary: cut }, { weight: 1, arbitrary: large });
}

const NAMES = [
  'include',
  'wait',
  'limit',
  'cursor',
  'label',
  'from',
  'to',
  'type',
  'state',
  'uid',
  'x',
  '__proto__',
  'label[]',
  '',
  'constructor',
];

function queryMutation(): fc.Arbitrary<Mutation> {
  const name = fc.oneof(
    fc.constantFrom(...NAMES),
    oddString.filter((text) => text.length < 500),
  );
  const value = fc.oneof(
    oddString.filter((text) => text.length < 2_000),
    fc.constantFrom(
      '26',
      '25',
      '-1',
      '0',
      '1.5',
      '0x10',
      '1e2',
      ' 1',
      '201',
      '200',
      'payload,payload',
      'payload,',
      'a:',
      ':a',
      'a:b:c',
      'A'.repeat(512),
    ),
  );
  return fc
    .tuple(fc.constantFrom('add', 'again', 'change', 'remove'), fc.nat(), name, value)
    .map(([kind, where, name, value]) => (draft) => {
      const index = draft.query.length === 0 ? 0 : where % draft.query.length;
      const [known] = draft.query[index] ?? [name];
      // Waiting for long is nothing odd, and takes long.
      if ((kind === 'add' ? name : known) === 'wait' && /^\s*([2-9]|1\d|2[0-5])$/.test(value)) return draft;
      const pair = [kind === 'add' ? name : known, value] as const;
      const query =
        kind === 'remove'
          ? draft.query.toSpliced(index, 1)
          : kind === 'change'
            ? draft.query.toSpliced(index, 1, pair)
            : [...draft.query, pair];
      return as(`query ${kind} ${pair[0].slice(0, 40)}`, draft, { query });
    });
}

const SEGMENTS = [
  '',
  '.',
  '..',
  '%2e%2e',
  '%2F',
  'a%2Fb',
  '%00',
  '%',
  '%zz',
  '%c0%ae',
  'a;b=c',
  '~',
  '*',
  '{id}',
  ':id',
  'batch',
  'a'.repeat(6_000),
];

function pathMutation(): fc.Arbitrary<Mutation> {
  const segment = fc.oneof(
    fc.constantFrom(...SEGMENTS),
    oddString.filter((text) => text.length < 1_000).map(encoded),
    oddString.filter((text) => text.length < 1_000).map((text) => encoded(encoded(text))),
  );
  return fc
    .tuple(fc.constantFrom('change', 'change', 'last', 'add', 'remove', 'case'), fc.nat(), segment)
    .map(([kind, where, segment]) => (draft) => {
      const { segments } = draft;
      const index = where % Math.max(1, segments.length);
      const changed = {
        change: segments.with(Math.min(index, segments.length - 1), segment),
        last: segments.with(-1, segment),
        add: segments.toSpliced(index + 1, 0, segment),
        remove: segments.length > 1 ? segments.toSpliced(index, 1) : segments,
        case: segments.map((each) => each.toUpperCase()),
      }[kind];
      return as(`path ${kind}`, draft, { segments: changed });
    });
}

const HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/xml'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'multipart/form-data; boundary=x'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'image/png'],
  ['content-type', '/'],
  ['content-encoding', 'gzip'],
  ['accept', 'text/html'],
  ['accept-encoding', 'br'],
  ['authorization', 'Bearer'],
  ['authorization', 'Basic YTpi'],
  ['authorization', `Bearer slc_${'A'.repeat(43)}`],
  ['authorization', `Bearer ${'x'.repeat(4_000)}`],
  ['authorization', 'Bearer slc_\xff'],
  ['x-http-method-override', 'DELETE'],
  ['x-forwarded-for', "'; DROP TABLE"],
  ['cookie', 'a=b; __proto__=c'],
  ['x-long', 'x'.repeat(7_000)],
  ['x-too-long', 'x'.repeat(20_000)],
  ['range', 'bytes=0-1'],
  ['if-none-match', '*'],
];

function headerMutation(): fc.Arbitrary<Mutation> {
  return fc.constantFrom(...HEADERS).map(
    ([name, value]) =>
      (draft) =>
        as(`header ${name}`, draft, { headers: { ...draft.headers, [name]: value } }),
  );
}
