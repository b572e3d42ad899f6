import { describe, expect, it } from 'vitest';
import { parseRetryAfter, retryDelayMs } from '../../../packages/client/src/retry.ts';

const settings = { retries: 5, minDelayMs: 200, maxDelayMs: 1_000, maxRetryAfterSeconds: 60 };

describe('retryDelayMs', () => {
  it('doubles the bound of a full jitter up to its cap', () => {
    expect([1, 2, 3, 4, 5].map((n) => retryDelayMs(settings, n, undefined, 1))).toEqual([200, 400, 800, 1_000, 1_000]);
    expect(retryDelayMs(settings, 3, undefined, 0)).toBe(0);
  });

  it('adds the jitter to a Retry-After and never takes from it', () => {
    expect(retryDelayMs(settings, 1, 3, 0)).toBe(3_000);
    expect(retryDelayMs(settings, 1, 3, 0.5)).toBe(3_100);
  });

  it('ends after its repeats, or when the Retry-After is too long', () => {
    expect(retryDelayMs(settings, 6, undefined, 0)).toBeUndefined();
    expect(retryDelayMs(settings, 1, 61, 0)).toBeUndefined();
  });
});

describe('parseRetryAfter', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  it.each([
    ['120', 120],
    [' 0 ', 0],
    ['Sun, 01 Mar 2026 12:01:30 GMT', 90],
    ['Sun, 01 Mar 2026 11:00:00 GMT', 0],
    ['-1', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('reads %j', (header, seconds) => {
    expect(parseRetryAfter(header, now)).toBe(seconds);
  });
});
