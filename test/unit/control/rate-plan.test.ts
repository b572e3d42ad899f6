import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowerings, raisings, rateDemand, rateTargets, type RateClaimant } from '../../../core/control/rates/plan.ts';
import { ratesOfResources, windowsOfTypes, type ResourceRate } from '../../../core/control/rates/windows.ts';
import { typeSpec } from '../../../sim/type-spec.ts';

const rate = (capacity: number, resource = 'api'): ResourceRate => ({ resource, perSeconds: 60, capacity });
const claim = (key: string, has: number, demand: number, rates: readonly ResourceRate[], weight = 1): RateClaimant => ({
  key,
  has,
  demand,
  rates,
  weight,
});

/** What lanes have after a round in which every write came through. */
function afterRound(claimants: readonly RateClaimant[], turn = 0): readonly number[] {
  const targets = rateTargets(claimants, turn);
  const lower = lowerings(targets);
  const hasNow = (claimant: RateClaimant): number => lower.get(claimant) ?? claimant.has;
  const raise = raisings(targets, hasNow);
  return claimants.map((claimant) => raise.get(claimant) ?? hasNow(claimant));
}

describe('the division of a rate', () => {
  it('gives one lane all of it, and two by their weights, at once', () => {
    const whole = rate(90);
    expect(afterRound([claim('a', 0, 1, [whole])])).toEqual([90]);
    expect(afterRound([claim('a', 90, Infinity, [whole]), claim('b', 0, Infinity, [whole], 2)])).toEqual([30, 60]);
  });

  it('moves nothing while nobody needs it, and takes all of a lane that is to have nothing', () => {
    const whole = rate(90);
    expect(afterRound([claim('a', 90, 1, [whole]), claim('b', 0, 0, [whole])])).toEqual([90, 0]);
    expect(afterRound([claim('a', 60, 0, [whole]), claim('b', 30, 30, [whole])])).toEqual([0, 30]);
    expect(afterRound([claim('a', 60, 0, [whole]), claim('b', 30, 31, [whole])])).toEqual([0, 90]);
  });

  it('takes turns where there are more lanes than starts', () => {
    const whole = rate(2);
    const lanes = ['a', 'b', 'c', 'd', 'e'].map((key) => claim(key, 0, Infinity, [whole]));
    const had = Array.from({ length: 40 }, (_, turn) => afterRound(lanes, turn));
    for (const parts of had) expect(parts.reduce((sum, n) => sum + n, 0)).toBe(2);
    for (const [i] of lanes.entries()) expect(had.filter((parts) => (parts[i] ?? 0) > 0).length).toBeGreaterThan(5);
  });

  it('gives of no rate more than there is, whatever lanes have had, and leaves none unused that somebody needs', () => {
    const lanes = fc.array(
      fc.record({ has: fc.nat(20), demand: fc.nat(80), weight: fc.integer({ min: 1, max: 5 }), draws: fc.constantFrom('a', 'b', 'ab') }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(lanes, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), fc.nat(9), (given, a, b, turn) => {
        const rates = { a: rate(a, 'a'), b: rate(b, 'b') };
        const claimants = given.map(({ has, demand, weight, draws }, i) =>
          claim(`lane-${i}`, has, demand, [...(draws.includes('a') ? [rates.a] : []), ...(draws.includes('b') ? [rates.b] : [])], weight),
        );
        const parts = afterRound(claimants, turn);
        const usedOf = (of: ResourceRate) =>
          claimants.reduce((sum, { rates: own }, i) => sum + (own.includes(of) ? (parts[i] ?? 0) : 0), 0);
        // Also where a deployment has lowered a rate below what lanes had.
        for (const of of Object.values(rates)) expect(usedOf(of)).toBeLessThanOrEqual(of.capacity);
        const again = afterRound(
          claimants.map((claimant, i) => ({ ...claimant, has: parts[i] ?? 0 })),
          turn,
        );
        expect(again).toEqual(parts);
      }),
    );
  });
});

describe('what a lane needs of a rate', () => {
  const use = { demand: 3, held: 2, waits: 0, limit: 40, used: 4.2 };

  it.each([
    ['nothing without work', { demand: 0, waits: 0, held: 0 }, 0],
    ['what waits and what it has just used, while something waits', { waits: 7 }, 12],
    ['all that there is where more waits than is counted', { waits: Infinity }, Infinity],
    ['half of what it has while it keeps up', {}, 20],
    ['what it used, where that is more', { used: 30.5 }, 31],
    ['one where it rests, or may begin', { held: 0 }, 1],
  ])('is %s', (_, over, needed) => {
    expect(rateDemand({ ...use, ...over })).toBe(needed);
  });
});

describe('the windows of a type', () => {
  it('are those of all its resources, the shortest first, those of one length as one', () => {
    const resources = new Map(
      [
        {
          v: 1 as const,
          resource: 'api',
          concurrency: 9,
          rates: [
            { limit: 9, perSeconds: 60 },
            { limit: 1, perSeconds: 1 },
          ],
        },
        { v: 1 as const, resource: 'db', concurrency: 9, rates: [{ limit: 5, perSeconds: 60 }] },
        { v: 1 as const, resource: 'plain', concurrency: 9 },
      ].map((spec) => [spec.resource, spec]),
    );
    const specs = [typeSpec('both', { resources: ['api', 'db'] }), typeSpec('none', { resources: ['plain'] }), typeSpec('free')];
    const windows = windowsOfTypes(new Map(specs.map((spec) => [spec.type, spec])), ratesOfResources(resources));
    expect([...windows.keys()]).toEqual(['both']);
    expect(windows.get('both')?.map(({ perSeconds, rates }) => [perSeconds, rates.map(({ capacity }) => capacity)])).toEqual([
      [1, [1]],
      [60, [9, 5]],
    ]);
  });
});
