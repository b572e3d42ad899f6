import { ERROR_CODES, ROUTES, type ErrorCode, type RouteName, type ApiRoute } from '@sluice/contracts';
import document from '@sluice/contracts/openapi.json' with { type: 'json' };
import { Validator } from '@seriousme/openapi-schema-validator';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { documentText, FILE } from '../../bin/openapi/file.ts';
import { makePlatform, resourcesOf } from '../cdk/synth.ts';
import { answerFault, faultOf, operationOf, OPERATIONS, requestFault } from './conformance.ts';

const routes = Object.entries(ROUTES).map(([name, { method, path }]) => ({ name, key: `${method} ${path}` }));

describe('the OpenAPI document', () => {
  it('is what the contracts say; if not, npm run openapi writes it', async () => {
    expect(readFileSync(FILE, 'utf8')).toBe(await documentText());
  });

  it('is a valid document of its version', async () => {
    const validator = new Validator();
    expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
  });

  it('has every route of the contracts, under its name, and no other', () => {
    const operations = OPERATIONS.map(({ operationId, method, path }) => ({ name: operationId, key: `${method} ${path}` }));
    expect(sorted(operations)).toEqual(sorted(routes));
  });

  it('has every route that is deployed, and no other', () => {
    const deployed = resourcesOf(makePlatform().stack, 'AWS::ApiGatewayV2::Route').map(({ resource }) => resource.Properties['RouteKey']);
    expect(deployed.toSorted()).toEqual(OPERATIONS.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  it.each(Object.keys(ROUTES) as RouteName[])('tells of %s what it needs and how it can fail', (name) => {
    const operation = OPERATIONS.find(({ operationId }) => operationId === name);
    const { scope, or }: ApiRoute = ROUTES[name];
    expect(operation).toMatchObject({ summary: expect.stringMatching(/./), description: expect.stringMatching(/./) });
    expect(operation?.security).toEqual([scope, or].flatMap((each) => (each === undefined ? [] : [{ bearer: [each] }])));
    const statuses = Object.keys(operation?.responses ?? {});
    expect(statuses.some((status) => /^2\d\d$/.test(status))).toBe(true);
    expect(statuses).toEqual(expect.arrayContaining(['429', '500', '503', ...(scope === undefined ? [] : ['401', '403'])]));
  });

  it('has a problem for every code, which has the status of its code', () => {
    const schemas = Object.values(document.components.schemas) as {
      properties?: { code?: { const?: string }; status?: { const?: number } };
    }[];
    const problems = schemas.flatMap(({ properties: { code, status } = {} }) =>
      code?.const === undefined ? [] : [[code.const, status?.const]],
    );
    for (const [code, status] of problems) expect(status).toBe(ERROR_CODES[code as ErrorCode].status);
    expect(problems.map(([code]) => code).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it('has examples that fit their schemas', () => {
    let examples = 0;
    const look = (value: unknown, place: readonly string[]): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('example' in value && 'schema' in value && place.includes('content')) {
        examples++;
        const fault = faultOf(place.includes('requestBody') ? 'requests' : 'answers', [...place, 'schema'], value.example);
        expect({ place: place.join(' '), fault }).toEqual({ place: place.join(' '), fault: undefined });
      }
      for (const [key, inner] of Object.entries(value)) look(inner, [...place, key]);
    };
    look(document, []);
    expect(examples).toBeGreaterThan(15);
  });
});

describe('a recorded call', () => {
  const submit = operationOf('POST', '/v1/tasks');
  if (!submit) throw new Error('there is no operation submit');
  const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
    status,
    headers: new Headers({ 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers }),
    text: JSON.stringify(body),
  });
  const accepted = { id: 'a', uid: '01JZ8Q4T6V3KX5N7W2C9RBD1EF', state: 'waiting', deduplicated: false };
  const problem = (code: ErrorCode) => {
    const { status } = ERROR_CODES[code];
    return answer(
      status,
      { type: `urn:sluice:error:${code}`, title: 'x', status, code, detail: 'x' },
      status === 503 ? { 'retry-after': '1' } : {},
    );
  };

  it('passes when it is as the document says', () => {
    expect(answerFault(submit, answer(201, accepted))).toBeUndefined();
    expect(answerFault(submit, problem('id_conflict'))).toBeUndefined();
    expect(answerFault(submit, problem('unavailable'))).toBeUndefined();
    expect(answerFault(submit, answer(403, { message: 'Forbidden' }, { 'content-type': 'application/json' }))).toBeUndefined();
    expect(requestFault(submit, new URL('http://host/v1/tasks'), '{"type":"a","delaySeconds":1}')).toBeUndefined();
  });

  it.each([
    ['a status that is not told of', answer(202, accepted)],
    ['a field that is not told of', answer(201, { ...accepted, secret: 1 })],
    ['a field that is missing', answer(201, { ...accepted, uid: undefined })],
    ['another content type', answer(201, accepted, { 'content-type': 'text/plain' })],
    ['a code that the route cannot give', problem('bad_cursor')],
    [
      'a code under another status',
      answer(409, { type: 'urn:sluice:error:not_found', title: 'x', status: 404, code: 'not_found', detail: 'x' }),
    ],
    ['no time to come back', { ...problem('unavailable'), headers: new Headers({ 'content-type': 'application/problem+json' }) }],
  ])('fails for %s', (_, wrong) => {
    expect(answerFault(submit, wrong)).toEqual(expect.any(String));
  });

  it.each([
    ['/v1/tasks', undefined],
    ['/v1/tasks', '{"type":"a","when":1}'],
    ['/v1/tasks', '{"type":"a","delaySeconds":1,"runAt":"2030-01-01T00:00:00Z"}'],
  ])('fails for a request that is not told of: %s %s', (path, body) => {
    expect(requestFault(submit, new URL(path, 'http://host'), body)).toEqual(expect.any(String));
  });

  it.each(['?wait=26', '?wait=1.5', '?wait=', '?wait=1&x=2', '?include=result'])('fails for a query that is not told of: %s', (query) => {
    const wait = operationOf('GET', '/v1/tasks/a/result');
    expect(wait && requestFault(wait, new URL(`http://host/v1/tasks/a/result${query}`), undefined)).toEqual(expect.any(String));
  });

  it('is of the operation that the gateway would take', () => {
    expect(operationOf('POST', '/v1/tasks/batch')?.operationId).toBe('submitBatch');
    expect(operationOf('GET', '/v1/tasks/batch')?.operationId).toBe('get');
    expect(operationOf('GET', '/v1/openapi.json')?.operationId).toBe('openapi');
    expect(operationOf('GET', '/v1/openapiXjson')).toBeUndefined();
    expect(operationOf('PUT', '/v1/tasks')).toBeUndefined();
  });
});

function sorted(list: readonly { readonly name: string; readonly key: string }[]) {
  return list.toSorted((a, b) => a.name.localeCompare(b.name));
}
