import { describe, expect, it } from 'vitest';
import { RetryableError, ThrottledError } from '../../../packages/handler/src/errors.ts';
import { failureOf } from '../../../packages/handler/src/failure.ts';
import { httpFailureOf } from '../../../packages/handler/src/http-failure.ts';

const NOW = Date.UTC(2026, 0, 1);
const IN_90_S = 'Thu, 01 Jan 2026 00:01:30 GMT';

/** Errors as libraries throw them. */
const THROWN: readonly (readonly [string, object, object])[] = [
  [
    'axios',
    {
      name: 'AxiosError',
      message: 'Request failed with status code 503',
      code: 'ERR_BAD_RESPONSE',
      response: { status: 503, headers: { 'retry-after': '120' } },
    },
    { status: 503, retryAfterMs: 120_000 },
  ],
  [
    'got',
    { name: 'HTTPError', response: { statusCode: 502, headers: { 'retry-after': ['7', '9'] } } },
    { status: 502, retryAfterMs: 7_000 },
  ],
  [
    'a wrapper of fetch',
    { response: new Response('', { status: 503, headers: { 'Retry-After': IN_90_S } }) },
    { status: 503, retryAfterMs: 90_000 },
  ],
  [
    'the AWS SDK',
    { $metadata: { httpStatusCode: 400, attempts: 3 }, $response: { statusCode: 400, headers: { 'Retry-After': '2' } } },
    { status: 400, retryAfterMs: 2_000 },
  ],
  ['OpenAI', { status: 429, headers: new Headers({ 'retry-after-ms': '1500', 'retry-after': '2' }) }, { status: 429, retryAfterMs: 1_500 }],
  ['an error that only has a status', { statusCode: 404 }, { status: 404 }],
  ['a status as text', { status: '503' }, { status: 503 }],
  ['a cause', new Error('no', { cause: { cause: { status: 500 } } }), { status: 500 }],
  [
    'the outermost that says it',
    { status: 500, cause: { status: 404, headers: { 'retry-after': '1' } } },
    { status: 500, retryAfterMs: 1_000 },
  ],
  ['a date that has passed', { headers: { 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' } }, { retryAfterMs: 0 }],
];

describe('what an error says of HTTP is found in', () => {
  it.each(THROWN)('%s', (_, thrown, expected) => {
    expect(httpFailureOf(thrown, NOW)).toEqual(expected);
  });

  it.each([
    ['a status that is none', { status: 42, statusCode: 'x' }],
    ['words', { headers: { 'retry-after': 'soon' } }],
    ['a negative number', { headers: { 'retry-after': '-5' } }],
    ['nothing', { headers: { 'retry-after': '' } }],
    ['other headers', { headers: { date: IN_90_S } }],
    ['headers that are none', { headers: 'retry-after: 5', response: null }],
    ['an empty status', { status: '' }],
  ])('no answer in %s', (_, thrown) => {
    expect(httpFailureOf(thrown, NOW)).toEqual({});
  });

  it('no value that is no object, nor in a circle', () => {
    const circle: { cause?: unknown } = {};
    circle.cause = circle;
    for (const thrown of [undefined, null, 'status 503', 503, circle]) expect(httpFailureOf(thrown, NOW)).toEqual({});
  });
});

describe('a failure', () => {
  it('has the status of its error, and waits as its server asked', () => {
    const failure = failureOf(new Error('no', { cause: THROWN[0]?.[1] }), NOW);
    expect(failure).toMatchObject({ class: 'retryable', retryAfterMs: 120_000, error: { name: 'Error', status: 503 } });
  });

  it('with a 429 is throttled, unless its error says what it is', () => {
    expect(failureOf({ name: 'E', message: 'm', status: 429 }, NOW).class).toBe('throttled');
    expect(failureOf(new RetryableError('m', { cause: { status: 429 } }), NOW).class).toBe('retryable');
  });

  it('says itself how long to wait before its server does', () => {
    const cause = { headers: { 'retry-after': '60' } };
    expect(failureOf(new ThrottledError('m', { retryAfter: 5, cause }), NOW).retryAfterMs).toBe(5_000);
    expect(failureOf(new RetryableError('m', { retryAfter: 5, cause }), NOW).retryAfterMs).toBe(5_000);
    expect(failureOf(new RetryableError('m', { cause }), NOW).retryAfterMs).toBe(60_000);
  });

  it('waits at most a week', () => {
    expect(failureOf({ headers: { 'retry-after': '999999999' } }, NOW).retryAfterMs).toBe(604_800_000);
  });
});
