import { describe, expect, it } from 'vitest';
import { ERROR_CODES, FatalError, failureClassOf, RetryableError, ThrottledError } from '../../../packages/handler/src/errors.ts';
import { ERROR_LIMITS, failureOf } from '../../../packages/handler/src/failure.ts';

const NOW = 1_750_000_000_000;

describe('failureClassOf', () => {
  it('knows the three errors, and subclasses of them whatever their name', () => {
    class CardDeclined extends FatalError {
      override name = 'CardDeclined';
    }
    expect(failureClassOf(new FatalError('x'))).toBe('fatal');
    expect(failureClassOf(new RetryableError('x'))).toBe('retryable');
    expect(failureClassOf(new ThrottledError('x'))).toBe('throttled');
    expect(failureClassOf(new CardDeclined('x'))).toBe('fatal');
  });

  it('goes by name or code, not by identity', () => {
    expect(failureClassOf({ name: 'FatalError' })).toBe('fatal');
    expect(failureClassOf({ name: 'Other', code: ERROR_CODES.throttled })).toBe('throttled');
    expect(failureClassOf({ name: 'FatalError', code: ERROR_CODES.retryable })).toBe('retryable');
  });

  it.each([undefined, null, 'FatalError', 7, {}, new Error('x')])('takes %s for retryable', (thrown) => {
    expect(failureClassOf(thrown)).toBe('retryable');
  });
});

describe('failureOf', () => {
  it.each([
    ['a string', 'plain text', { name: 'Error', message: 'plain text' }],
    ['undefined', undefined, { name: 'NonError', message: 'threw undefined' }],
    ['null', null, { name: 'NonError', message: 'threw null' }],
    ['what is no character', 'a\ufffeb\uffff', { name: 'Error', message: 'a\ufffdb\ufffd' }],
    ['a number', 42, { name: 'NonError', message: 'threw 42' }],
    ['a symbol', Symbol('s'), { name: 'NonError', message: 'threw Symbol(s)' }],
    ['an object', { a: 1 }, { name: 'NonError', message: 'threw {"a":1}' }],
    ['an object that says nothing in JSON', { toJSON: () => undefined }, { name: 'NonError', message: 'threw [object Object]' }],
    ['an object with a BigInt', { n: 1n }, { name: 'NonError', message: 'threw [object Object]' }],
    ['an object like an error', { message: 'm' }, { name: 'Error', message: 'm' }],
    ['an error without a name', Object.assign(new Error('m'), { name: '', stack: '' }), { name: 'Error', message: 'm' }],
  ])('converts %s', (_what, thrown, error) => {
    expect(failureOf(thrown, NOW)).toEqual({ class: 'retryable', error });
  });

  it('survives a value that throws when it is read', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no');
        },
      },
    );
    expect(failureOf(hostile, NOW).error.message).toContain('cannot be read');
  });

  it('joins the causes to the stack, a few of them, also of a circle', () => {
    const inner = new TypeError('inner');
    const { stack } = failureOf(new Error('outer', { cause: inner }), NOW).error;
    expect(stack).toMatch(/^Error: outer[\s\S]*\ncaused by: TypeError: inner/);
    expect(failureOf(new Error('e', { cause: 'text' }), NOW).error.stack).toContain('caused by: text');

    const round = new Error('round');
    round.cause = round;
    expect(failureOf(round, NOW).error.stack?.match(/caused by/g)).toHaveLength(4);
    expect(failureOf({ message: 'm', cause: 'why' }, NOW).error.stack).toBe('caused by: why');
  });

  it('bounds name, message and stack in bytes without cutting a character', () => {
    const error = new Error('é'.repeat(5_000), { cause: 'x'.repeat(9_000) });
    error.name = 'N'.repeat(300);
    const cut = failureOf(error, NOW).error;
    for (const [text, limit] of [
      [cut.name, ERROR_LIMITS.nameBytes],
      [cut.message, ERROR_LIMITS.messageBytes],
      [cut.stack, ERROR_LIMITS.stackBytes],
    ] as const) {
      expect(Buffer.byteLength(text ?? '')).toBeLessThanOrEqual(limit);
      expect(Buffer.byteLength(text ?? '')).toBeGreaterThan(limit - 3);
      expect(text).toMatch(/… \[cut\]$/);
      expect(text).not.toContain('\ufffd');
    }
  });

  it.each([
    [2, 2_000],
    [0.0001, 1],
    [new Date(NOW + 5_000), 5_000],
    [new Date(NOW - 5_000), 0],
    [1e12, 7 * 86_400_000],
    [-1, undefined],
    [Number.NaN, undefined],
    [Infinity, undefined],
    [new Date(Number.NaN), undefined],
    [undefined, undefined],
  ])('reads retryAfter %s as %s ms', (retryAfter, ms) => {
    expect(failureOf(new ThrottledError('busy', { retryAfter }), NOW).retryAfterMs).toBe(ms);
  });

  it('has no retryAfterMs where nothing says one, or no attempt follows', () => {
    expect(failureOf({ name: 'Error', retryAfter: 5 }, NOW)).not.toHaveProperty('retryAfterMs');
    expect(failureOf(new FatalError('x', { cause: { headers: { 'retry-after': '5' } } }), NOW)).not.toHaveProperty('retryAfterMs');
    expect(failureOf({ name: 'RetryableError', retryAfter: 5 }, NOW)).toMatchObject({ class: 'retryable', retryAfterMs: 5_000 });
    expect(failureOf(new ThrottledError(), NOW)).not.toHaveProperty('retryAfterMs');
    expect(failureOf({ name: 'ThrottledError', retryAfter: 'soon' }, NOW)).not.toHaveProperty('retryAfterMs');
  });
});
