import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { divide, type Claimant, type Part, type Pool } from '../../../core/limits/divide.ts';
import { entriesOf, entryOf } from '../../../core/limits/entry.ts';

interface Given {
  readonly pools: readonly Pool[];
  readonly claimants: readonly Claimant[];
}

const pools = fc.array(fc.record({ capacity: fc.integer({ min: 0, max: 200 }) }), { minLength: 1, maxLength: 4 });

/** Some pools, and lanes that draw on one to three of them. */
const given: fc.Arbitrary<Given> = pools.chain((all) =>
  fc.record({
    pools: fc.constant(all),
    claimants: fc
      .array(
        fc.record({
          weight: fc.constantFrom(0.1, 0.5, 1, 1, 1, 2, 7),
          demand: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1_000 })),
          cap: fc.integer({ min: 0, max: 300 }),
          guaranteed: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
          pools: fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 3 }),
        }),
        { maxLength: 25 },
      )
      .map((lanes) => lanes.map((lane, n): Claimant => ({ ...lane, key: `lane-${n}` }))),
  }),
);
const turn = fc.integer({ min: 0, max: 1_000 });

const drawnFrom = ({ claimants }: Given, pool: Pool, of: readonly number[]): number =>
  claimants.reduce((sum, claimant, i) => sum + (claimant.pools.includes(pool) ? (of[i] ?? 0) : 0), 0);
const needs = (parts: readonly Part[]): number[] => parts.map(({ needed }) => needed);
const shares = (parts: readonly Part[]): number[] => parts.map(({ share }) => share);

describe('the division of pools', () => {
  it('gives whole parts, of no pool more than it has, and no lane more than it may have', () => {
    fc.assert(
      fc.property(given, turn, (world, now) => {
        const parts = divide(world.claimants, now);
        parts.forEach(({ needed, share }, i) => {
          const { demand = 0, cap = 0 } = world.claimants[i] ?? {};
          expect([Number.isInteger(needed), Number.isInteger(share)]).toEqual([true, true]);
          expect(needed).toBeGreaterThanOrEqual(0);
          expect(needed).toBeLessThanOrEqual(demand);
          expect(share).toBeGreaterThanOrEqual(needed);
          expect(share).toBeLessThanOrEqual(Math.max(demand, cap));
        });
        for (const pool of world.pools) expect(drawnFrom(world, pool, shares(parts))).toBeLessThanOrEqual(pool.capacity);
      }),
      { numRuns: 500 },
    );
  });

  it('gives each lane what it is guaranteed, as far as it needs it and its pools have it', () => {
    fc.assert(
      fc.property(given, turn, (world, now) => {
        const floors = world.claimants.map(({ demand, guaranteed = 0 }) => Math.min(demand, guaranteed));
        const fits = ({ pools: own }: Claimant): boolean => own.every((pool) => drawnFrom(world, pool, floors) <= pool.capacity);
        divide(world.claimants, now).forEach(({ needed }, i) => {
          const claimant = world.claimants[i];
          if (claimant && fits(claimant)) expect(needed).toBeGreaterThanOrEqual(floors[i] ?? 0);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is max-min fair: a lane that needs more is held by a pool that is used up, in which nobody has more by weight', () => {
    fc.assert(
      fc.property(given, turn, (world, now) => {
        const parts = needs(divide(world.claimants, now));
        world.claimants.forEach((claimant, i) => {
          const mine = parts[i] ?? 0;
          if (mine >= claimant.demand) return;
          const holds = claimant.pools.some((pool) => {
            const others = world.claimants.flatMap((other, j) => (other.pools.includes(pool) ? [{ ...other, has: parts[j] ?? 0 }] : []));
            // Rounding takes less than one of each.
            const usedUp = drawnFrom(world, pool, parts) > pool.capacity - others.length;
            const ofMine = (mine + 1) / (claimant.weight ?? 1);
            return (
              usedUp && others.every(({ has, weight = 1, guaranteed = 0 }) => has <= guaranteed + 1 || (has - 1) / weight <= ofMine + 1e-6)
            );
          });
          expect(holds, `${claimant.key} has ${mine} of ${claimant.demand}`).toBe(true);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the order of the lanes', () => {
    const shuffled = given.chain((world) =>
      fc.tuple(fc.constant(world), fc.shuffledSubarray([...world.claimants], { minLength: world.claimants.length })),
    );
    fc.assert(
      fc.property(shuffled, turn, ([world, order], now) => {
        const byKey = new Map(divide(order, now).map((part, i) => [order[i]?.key, part]));
        expect(world.claimants.map(({ key }) => byKey.get(key))).toEqual(divide(world.claimants, now));
      }),
    );
  });

  it('of one pool gives all that is needed, or uses it up', () => {
    const one = fc.record({
      capacity: fc.integer({ min: 1, max: 500 }),
      demands: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 50 }),
    });
    fc.assert(
      fc.property(one, turn, ({ capacity, demands }, now) => {
        const pool = { capacity };
        const parts = divide(
          demands.map((demand, n) => ({ key: `lane-${n}`, demand, pools: [pool] })),
          now,
        );
        const sum = (of: readonly number[]): number => of.reduce((total, n) => total + n, 0);
        expect(sum(needs(parts))).toBe(Math.min(capacity, sum(demands)));
        // Nobody has two more than another who needs more.
        const wanting = needs(parts).filter((part, i) => part < (demands[i] ?? 0));
        if (wanting.length > 0) expect(Math.max(...needs(parts)) - Math.min(...wanting)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('moves little for a little change: a lane that wants one more takes one from one other at most', () => {
    const steady = fc.record({
      capacity: fc.integer({ min: 1, max: 300 }),
      demands: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 2, maxLength: 30 }),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(steady, turn, ({ capacity, demands, which }, now) => {
        const pool = { capacity };
        const partsFor = (wanted: readonly number[]): number[] =>
          needs(
            divide(
              wanted.map((demand, n) => ({ key: `lane-${n}`, demand, pools: [pool] })),
              now,
            ),
          );
        const before = partsFor(demands);
        const after = partsFor(demands.map((demand, n) => (n === which % demands.length ? demand + 1 : demand)));
        for (const [i, part] of after.entries()) expect(Math.abs(part - (before[i] ?? 0))).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('examples of a division', () => {
  const dividing = (capacity: number, ...claims: Partial<Claimant>[]) => {
    const pool = { capacity };
    return divide(
      claims.map((claim, n) => ({ key: `lane-${n}`, demand: 0, pools: [pool], ...claim })),
      0,
    );
  };

  it('halves by weight what is left over by the small ones', () => {
    expect(needs(dividing(100, { demand: 10 }, { demand: 200, weight: 2 }, { demand: 200 }))).toEqual([10, 60, 30]);
  });

  it('lends a guarantee that is not needed, and gives it back to whom it is due', () => {
    expect(needs(dividing(100, { demand: 0, guaranteed: 60 }, { demand: 200 }))).toEqual([0, 100]);
    expect(needs(dividing(100, { demand: 200, guaranteed: 60 }, { demand: 200 }))).toEqual([60, 40]);
  });

  it('cuts guarantees in proportion where a pool can’t hold them', () => {
    expect(needs(dividing(60, { demand: 99, guaranteed: 80 }, { demand: 99, guaranteed: 40 }))).toEqual([40, 20]);
  });

  it('divides what nobody needs up to the cap of each lane', () => {
    expect(shares(dividing(100, { demand: 2, cap: 10 }, { demand: 1, cap: 1_000 }))).toEqual([10, 90]);
  });

  it('holds a lane to the tightest of its pools, and gives the rest of the wider one to the others', () => {
    const [type, resource] = [{ capacity: 100 }, { capacity: 10 }];
    const parts = divide(
      [
        { key: 'a', demand: 80, pools: [type, resource] },
        { key: 'b', demand: 80, pools: [type] },
        { key: 'c', demand: 80, pools: [resource] },
      ],
      0,
    );
    expect(needs(parts)).toEqual([5, 80, 5]);
  });

  it('gives each its turn where there are more lanes than a pool has', () => {
    const pool = { capacity: 3 };
    const lanes = Array.from({ length: 10 }, (_, n) => ({ key: `lane-${n}`, demand: 5, pools: [pool] }));
    const turns = Array.from({ length: 60 }, (_, now) => needs(divide(lanes, now)));
    for (const parts of turns) expect(parts.reduce((sum, part) => sum + part, 0)).toBe(3);
    const served = lanes.map((_, i) => turns.filter((parts) => (parts[i] ?? 0) > 0).length);
    // 18 each on average.
    expect(Math.min(...served)).toBeGreaterThan(6);
    expect(Math.max(...served)).toBeLessThan(32);
  });

  it('divides fifty thousand lanes with three pools each in about n log n steps', () => {
    const types = Array.from({ length: 20 }, () => ({ capacity: 5_000 }));
    const [stripe] = [{ capacity: 20_000 }];
    const lanes = (n: number): Claimant[] => {
      const tenants = Array.from({ length: n / 20 }, () => ({ capacity: 100 }));
      return Array.from({ length: n }, (_, i) => ({
        key: `lane-${i}`,
        demand: (i * 7919) % 50,
        cap: 50,
        weight: 1 + (i % 3),
        guaranteed: i % 5,
        pools: [types[i % 20] ?? stripe, stripe, tenants[Math.floor(i / 20)] ?? stripe],
      }));
    };
    const given = { pools: [stripe, ...types], claimants: lanes(50_000) };
    const parts = divide(given.claimants, 3);
    for (const pool of given.pools) expect(drawnFrom(given, pool, shares(parts))).toBeLessThanOrEqual(pool.capacity);
    expect(drawnFrom(given, stripe, needs(parts))).toBe(20_000);
  });
});

describe('what is kept for newcomers', () => {
  it('is a tenth, at least one, and never more than there is', () => {
    expect([0, 1, 2, 10, 19, 20, 1_000].map(entryOf)).toEqual([0, 1, 1, 1, 1, 2, 100]);
  });

  it('is of no pool more than it keeps, for all types together', () => {
    const some = pools.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.array(fc.uniqueArray(fc.constantFrom(...all), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 10 }),
      ),
    );
    fc.assert(
      fc.property(some, turn, ([all, drawing], now) => {
        const types = new Map(drawing.map((own, n) => [`type-${n}`, own]));
        const entries = entriesOf(types, now);
        for (const pool of all) {
          const drawn = [...types].reduce((sum, [name, own]) => sum + (own.includes(pool) ? (entries.get(name) ?? 0) : 0), 0);
          expect(drawn).toBeLessThanOrEqual(entryOf(pool.capacity));
        }
      }),
    );
  });

  it('goes from type to type where there is less than one for each', () => {
    const resource = { capacity: 2 };
    const types = new Map(['a', 'b', 'c'].map((name) => [name, [resource]]));
    const seen = Array.from({ length: 40 }, (_, now) => [...entriesOf(types, now)].filter(([, n]) => n > 0).map(([name]) => name));
    expect(seen.every((names) => names.length === 1)).toBe(true);
    expect(new Set(seen.flat())).toEqual(new Set(['a', 'b', 'c']));
  });
});
