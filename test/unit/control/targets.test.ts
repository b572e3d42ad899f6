import { describe, expect, it } from 'vitest';
import { targetsOf, type Standing } from '../../../core/control/targets.ts';

const vendor = { divided: { capacity: 4 }, whole: 4 };

/** A lane of a type that draws on the vendor. */
function lane(tenant: string, over: Partial<Standing>): Standing {
  return {
    lane: { tenant, type: 'order' },
    concurrency: 4,
    weight: 1,
    closed: false,
    pools: true,
    cells: 1,
    capacities: [vendor],
    grant: undefined,
    shares: [],
    held: [0],
    waits: 0,
    entered: 0,
    demand: 0,
    cap: 0,
    small: false,
    rests: false,
    stale: false,
    ...over,
  };
}

/** It has had work until just now, and keeps what it has for a while. */
const lingering = (tenant: string): Standing => lane(tenant, { shares: [1], demand: 1, cap: 4, rests: true });

describe('what lanes are to have of a capacity', () => {
  it.each([0, 1, 2, 3, 4])('keeps nothing for lanes without work where one that has some would have nothing: turn %i', (turn) => {
    const late = lane('late', { waits: 4, demand: 4, cap: 4 });
    const targets = targetsOf([...['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(lingering), late], new Map(), turn);
    expect(targets.at(-1)?.needed).toBeGreaterThan(0);
    expect(targets.reduce((sum, { needed }) => sum + needed, 0)).toBe(4);
  });

  it('keeps it for them where all that have work have something', () => {
    const late = lane('late', { waits: 4, demand: 4, cap: 4 });
    const targets = targetsOf([lingering('a'), lingering('b'), late], new Map(), 0);
    expect(targets.map(({ needed }) => needed)).toEqual([1, 1, 2]);
  });
});
