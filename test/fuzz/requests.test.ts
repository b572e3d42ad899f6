import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operationOf, requestFault } from '../openapi/conformance.ts';
import { mutatedDrafts } from './mutations.ts';
import { again, jsonText } from './odd.ts';
import { requestOf, validDrafts } from './requests.ts';
import { curlOf } from './send.ts';

const known = { tasks: ['done', 'later'], uids: ['01JZ8Q4T6V3KX5N7W2C9RBD1EF'], tokens: ['tok_0123456789abcdef'] };
const tokens = { all: 'slc_a', reader: 'slc_b', stranger: 'slc_c', none: undefined };
const faultOf = ({ method, path, body }: ReturnType<typeof requestOf>): string | undefined => {
  const url = new URL(`http://api${path}`);
  const operation = operationOf(method, url.pathname);
  return operation === undefined ? 'no operation' : requestFault(operation, url, body?.toString());
};

describe('requests', () => {
  it('are as the document says before they are mutated', () => {
    fc.assert(
      fc.property(validDrafts(known), (draft) => {
        expect(faultOf(requestOf(draft, tokens))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('are mostly wrong after it, and the same for the same seed', () => {
    const sample = () => fc.sample(mutatedDrafts(validDrafts(known)), { seed: 7, numRuns: 300 }).map((draft) => requestOf(draft, tokens));
    const requests = sample();
    const told = (list: typeof requests) =>
      list.map(({ method, path, headers, body }) => [method, path, headers, body?.toString('base64')]);
    expect(told(sample())).toEqual(told(requests));
    const kinds = new Set(requests.flatMap(({ draft }) => draft.mutations.map((text) => text.split(' ')[0])));
    expect([...kinds].toSorted()).toEqual(['body', 'caller', 'header', 'json', 'method', 'path', 'query']);
    expect(requests.filter((request) => faultOf(request) !== undefined).length).toBeGreaterThan(100);
  });

  it('may hold JSON that no program writes', () => {
    const value = { [again('a')]: 1, a: '\ue0001e999', b: ['\ue000"\\ud800"', 'plain'] };
    expect(jsonText(value)).toBe('{"a":1,"a":1e999,"b":["\\ud800","plain"]}');
  });

  it('are told as commands for a shell', () => {
    const body = Buffer.from(`{"a":"it's"}`);
    const [draft] = fc.sample(validDrafts(known), 1);
    if (!draft) throw new Error('there is no draft');
    const request = { draft, method: 'POST', path: '/v1/tasks', headers: { 'content-type': 'application/json' }, body };
    expect(curlOf('http://host', request)).toBe(
      String.raw`curl -i --path-as-is -X POST -H 'content-type: application/json' --data-binary '{"a":"it'\''s"}' 'http://host/v1/tasks'`,
    );
    expect(curlOf('http://host', { ...request, body: Buffer.from([0xff]) })).toMatch(
      /^echo \/w== \| base64 -d \| curl .* --data-binary @- /,
    );
  });
});
