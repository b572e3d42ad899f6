import { describe, expect, it } from 'vitest';
import { EVENT_AND_RESULT_BYTES, resultOf } from '../../../packages/handler/src/result.ts';

describe('resultOf', () => {
  it('is what JSON makes of the value', () => {
    const at = new Date(0);
    expect(resultOf({ at, gone: undefined, nan: Number.NaN }, 0)).toEqual({ at: at.toISOString(), nan: null });
    expect(resultOf(undefined, 0)).toBeUndefined();
    expect(resultOf(null, 0)).toBeNull();
  });

  it.each([
    ['a BigInt', { n: 1n }, /BigInt/],
    ['a function', () => 1, /it is a function/],
    ['a symbol', Symbol('s'), /it is a symbol/],
    ['what is no character', { text: 'a\uffff' }, /U\+FFFE or U\+FFFF/],
    ['what is no character in a key', { 'a\ufffe': 1 }, /U\+FFFE or U\+FFFF/],
    [
      'a toJSON that throws a string',
      {
        toJSON: () => {
          throw 'odd'; // eslint-disable-line @typescript-eslint/only-throw-error -- what is tested
        },
      },
      /odd/,
    ],
  ])('refuses %s for good', (_what, value, message) => {
    expect(() => resultOf(value, 0)).toThrow(expect.objectContaining({ name: 'FatalError', message: expect.stringMatching(message) }));
  });

  it('refuses an object inside itself', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(() => resultOf(circle, 0)).toThrow(/not JSON: [\s\S]*circular/i);
  });

  it('allows up to the limit, event and result together in bytes, and names it with the way out', () => {
    const fits = 'é'.repeat((EVENT_AND_RESULT_BYTES - 2 - 100) / 2);
    expect(resultOf(fits, 100)).toBe(fits);
    expect(() => resultOf(fits, 101)).toThrow(new RegExp(`limit of ${EVENT_AND_RESULT_BYTES}.*S3`));
  });
});
