import { ERROR_CODES, type ErrorCode } from '@sluice/contracts';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as client from '../../../packages/client/src/index.ts';
import { answer, startApiServer, type ApiServer } from './api-server.ts';
import { accepted, problem } from './samples.ts';

const { ApiError, ClientError, isClientError, SluiceClient } = client;

let server: ApiServer;
const clientOf = (options = {}) => new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1, retries: 1, ...options });
const failureOf = async (call: Promise<unknown>): Promise<unknown> => call.then(() => undefined).catch((error: unknown) => error);

beforeEach(async () => {
  server = await startApiServer();
});
afterEach(() => server.close());

const CLASSES: Record<number, string> = {
  400: 'BadRequestError',
  401: 'UnauthorizedError',
  403: 'ForbiddenError',
  404: 'NotFoundError',
  409: 'ConflictError',
  410: 'GoneError',
  413: 'PayloadTooLargeError',
  429: 'ThrottledError',
  500: 'ServerError',
  503: 'ServerError',
};

describe('an error of the API', () => {
  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('%s has the class of its status, its code and its problem', async (code) => {
    const { status, retryable } = ERROR_CODES[code];
    server.reply(answer(status, problem(code)));
    const error = await failureOf(clientOf({ retries: 0 }).get('a'));
    const name = CLASSES[status] as keyof typeof client;
    expect(error).toBeInstanceOf(client[name]);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({
      name,
      kind: 'api',
      status,
      code,
      retryable,
      problem: { code },
      message: `${status} ${code}: it is ${code}`,
    });
    expect(isClientError(error)).toBe(true);
  });

  it.each([
    [418, 'ApiError', false],
    [400, 'BadRequestError', false],
    [502, 'ServerError', true],
    [429, 'ThrottledError', true],
  ])('keeps a code that this client does not know: %i is %s', async (status, name, retryable) => {
    server.reply(answer(status, { ...problem('internal'), status, code: 'lane_paused', details: { lane: 'mail' } }));
    const error = await failureOf(clientOf().get('a'));
    expect(error).toMatchObject({ name, status, code: 'lane_paused', retryable, problem: { details: { lane: 'mail' } } });
    expect(server.received).toHaveLength(retryable ? 2 : 1);
  });

  it('keeps a code that this client does not know among the results of a batch', async () => {
    const unknown = { ...problem('id_conflict'), code: 'lane_paused' };
    server.reply(
      answer(200, {
        results: [
          { ok: true, task: accepted('a') },
          { ok: false, error: unknown },
        ],
      }),
    );
    const { failures, accepted: count } = await clientOf().submitMany([
      { type: 'x', id: 'a' },
      { type: 'x', id: 'b' },
    ]);
    expect(count).toBe(1);
    expect(failures).toMatchObject([{ index: 1, id: 'b', error: { name: 'ConflictError', status: 409, code: 'lane_paused' } }]);
  });

  it.each([
    [400, 'BadRequestError', 'bad_request'],
    [403, 'ForbiddenError', 'forbidden'],
    [418, 'ApiError', 'bad_request'],
    [504, 'ServerError', 'unavailable'],
  ])('that a gateway has answered without a code has the nearest: %i is %s %s', async (status, name, code) => {
    server.reply(answer(status, 'nothing here'));
    const error = await failureOf(clientOf({ retries: 0 }).get('a'));
    expect(error).toMatchObject({ name, status, code, problem: undefined, message: `${status} ${code}: nothing here` });
  });
});

it('is in the README, every code beside its class', () => {
  const readme = readFileSync(new URL('../../../packages/client/README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `(\w+Error)` \| (\d{3})[^|]* \| (.*) \|$/gm)];
  const told = rows.flatMap(([, name = '', , codes = '']) => [...codes.matchAll(/\w+/g)].map(([code]) => [code, name] as const));
  const known = Object.entries(ERROR_CODES).map(([code, { status }]) => [code, CLASSES[status]] as const);
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(known));
});

describe('isClientError', () => {
  it('knows the errors of another copy of the package, and of none but it', async () => {
    const file = new URL('../../../packages/client/src/errors.ts', import.meta.url).href;
    const copy = (await import(/* @vite-ignore */ `${file}?copy`)) as typeof client;
    const error = new copy.ConnectionError('cut');
    expect(error).not.toBeInstanceOf(client.ConnectionError);
    expect(isClientError(error)).toBe(true);
    expect(isClientError(Object.assign(new Error('x'), { kind: 'api', code: 'not_found' }))).toBe(false);
    expect(isClientError(undefined)).toBe(false);
  });

  it('narrows by kind', async () => {
    server.reply(answer(404, problem('not_found')));
    const error = await failureOf(clientOf().get('a'));
    // What a program writes; it compiles only if the union is told apart by its kind.
    const code = isClientError(error) && error.kind === 'api' ? error.code : undefined;
    expect(code).toBe('not_found');
  });
});
