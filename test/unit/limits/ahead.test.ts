import { describe, expect, it } from 'vitest';
import { aheadOf, aheadOfSlots, isShort, meanWith } from '../../../core/permits/ahead.ts';
import { PERMITS_PER_CELL } from '../../../core/permits/cells.ts';

describe('how much is claimed ahead', () => {
  it.each([
    [0, 0],
    [3, 0],
    [4, 3],
    [8, 3],
    [9, 4],
    [20, 5],
    [36, 4],
    [PERMITS_PER_CELL, 0],
  ])('of a limit of %i: %i', (limit, most) => {
    expect(aheadOf(limit)).toBe(most);
  });

  it('is an eighth of the slots and two', () => {
    expect([0, 1, 8, 9].map(aheadOfSlots)).toEqual([0, 3, 3, 4]);
  });

  it('is nothing before an attempt has ended, and where they take more than two seconds on average', () => {
    expect([undefined, 2_000, 2_001].map(isShort)).toEqual([false, true, false]);
    expect([meanWith(undefined, 800), meanWith(800, 1_600)]).toEqual([800, 900]);
  });
});
