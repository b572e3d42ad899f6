import { describe, expect, it } from 'vitest';
import { entryPlaces } from '../../../core/permits/entry-places.ts';

const CELLS = 13;

describe('the cells of an entry pool that a lane draws on', () => {
  it.each([
    { most: 1, places: 1 },
    { most: 3, places: 3 },
    { most: 10, places: 4 },
    { most: 49, places: 4 },
    { most: 60, places: 6 },
    { most: 90, places: 8 },
    { most: 1_000, places: 8 },
  ])('are $places for one that may have $most at once, which is what it may have in all of them', ({ most, places }) => {
    const chosen = entryPlaces('a', CELLS, most);
    expect(chosen).toHaveLength(places);
    expect(new Set(chosen.map(({ cell }) => cell)).size).toBe(places);
    expect(chosen.reduce((sum, place) => sum + place.most, 0)).toBe(most);
  });

  it('are all that there are of a small pool', () => {
    expect(entryPlaces('a', 2, 90).map(({ most }) => most)).toEqual([45, 45]);
    expect(entryPlaces('a', 5, 90)).toHaveLength(5);
  });

  it('leave a batch its room in one of them, where there are more than four', () => {
    for (let most = 50; most <= 1_000; most++)
      for (const place of entryPlaces('a', CELLS, most)) expect(place.most).toBeGreaterThanOrEqual(10);
  });

  it('are the same of a lane that may have more: those that it had, and others', () => {
    for (const tenant of ['a', 'b', 'c']) {
      const few = entryPlaces(tenant, CELLS, 20).map(({ cell }) => cell);
      const many = entryPlaces(tenant, CELLS, 90).map(({ cell }) => cell);
      expect(many.slice(0, few.length)).toEqual(few);
    }
  });
});
