import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryRandom } from '../../adapters/memory/index.ts';
import { createSampler, SAMPLE_RULES } from '../../core/admission/sample-and-hold.ts';
import { thin } from '../../core/admission/thin.ts';

const fraction = (seed: number) => createMemoryRandom(seed).fraction;

/** An interval's calls: each is a tenant's tasks that come together. */
const calls = fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 300 });

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

/** So that p < 1 from the first interval on. */
function primed(seed: number, rules: Partial<typeof SAMPLE_RULES>, volume: number) {
  const sampler = createSampler(fraction(seed), { ...SAMPLE_RULES, ...rules });
  for (let interval = 0; interval < 40; interval++) {
    sampler.add(`before-${interval}`, volume);
    sampler.close();
  }
  return sampler;
}

describe('Sample and Hold', () => {
  it('never has more entries than it may, however many tenants come and however wrong its expectation is', () => {
    fc.assert(
      fc.property(calls, fc.integer(), fc.integer({ min: 1, max: 8 }), (all, seed, times) => {
        const sampler = createSampler(fraction(seed), { oversampling: 5, share: 0.05, entries: 16, earlyRemoval: 0.15 });
        for (let time = 0; time < times; time++) {
          for (const [tenant, tasks] of all) {
            sampler.add(`t${tenant}`, tasks);
            expect(sampler.size()).toBeLessThanOrEqual(16);
          }
          expect(sampler.close().tasks).toBe(sum(all.map(([, tasks]) => tasks)));
          expect(sampler.size()).toBeLessThanOrEqual(8);
        }
      }),
    );
  });

  it('counts exactly while there is little, and whoever was large in the interval before', () => {
    fc.assert(
      fc.property(calls, fc.integer(), fc.integer({ min: 1, max: 5_000 }), (all, seed, next) => {
        const sampler = createSampler(fraction(seed), { ...SAMPLE_RULES, share: 0.0001 });
        for (const [tenant, tasks] of all) sampler.add(`t${tenant}`, tasks);
        const counted = new Map(sampler.close().flows.map(({ tenant, tasks }) => [tenant, tasks]));
        for (const tenant of new Set(all.map(([t]) => t))) {
          expect(counted.get(`t${tenant}`)).toBe(sum(all.filter(([t]) => t === tenant).map(([, tasks]) => tasks)));
        }

        const large = primed(seed, { share: 0.01 }, 5_000);
        large.add('large', 5_000);
        large.close();
        for (let n = 0; n < next; n++) large.add('large', 1);
        expect(large.estimate('large')).toBe(next);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['a tenant far below the threshold', 3],
    ['a tenant at the threshold', 50],
    ['a tenant of ten times the threshold', 500],
  ])('is unbiased for %s', (_, tasks) => {
    const runs = 3_000;
    const estimates = Array.from({ length: runs }, (_unused, seed) => {
      // p = O / (share · volume) = 5 / 50
      const sampler = createSampler(fraction(seed), { oversampling: 5, share: 0.01, entries: 100_000, earlyRemoval: 1 });
      for (let interval = 0; interval < 40; interval++) {
        sampler.add(`before-${interval}`, 5_000);
        sampler.close();
      }
      for (let n = 0; n < tasks; n++) sampler.add('a', 1);
      return sampler.estimate('a');
    });
    // The standard error of one is below 1 / p = 10.
    expect(Math.abs(sum(estimates) / runs - tasks)).toBeLessThan((4 * 10) / Math.sqrt(runs));
  });

  it('stays unbiased when entries run out and its probability is halved', () => {
    const runs = 400;
    const tenants = 200;
    const each = 20;
    const totals = Array.from({ length: runs }, (_unused, seed) => {
      const sampler = createSampler(fraction(seed), { oversampling: 5, share: 0.001, entries: 40, earlyRemoval: 0.15 });
      for (let n = 0; n < tenants; n++) sampler.add(`t${n}`, each);
      return sum(sampler.close().flows.map(({ tasks }) => tasks));
    });
    const mean = sum(totals) / runs;
    const deviation = Math.sqrt(sum(totals.map((total) => (total - mean) ** 2)) / (runs - 1));
    expect(Math.abs(mean - tenants * each)).toBeLessThan((4 * deviation) / Math.sqrt(runs));
  });

  it('finds a tenant of the threshold but for e^-5 of the times, among ten thousand small ones', () => {
    const runs = 200;
    const found = Array.from({ length: runs }, (_unused, seed) => {
      const sampler = primed(seed, {}, 10_000);
      for (let n = 0; n < 10_000; n++) sampler.add(`t${n}`, 1);
      sampler.add('large', 100);
      return sampler.estimate('large') > 0;
    });
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(runs * 0.97);
  });
});

describe('thinning', () => {
  const amounts = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 80 });

  it('takes as many as it may, the large ones as they are, and keeps the sum of all', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 30 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (all, most, chance) => {
        const taken = thin(all, most, chance);
        expect(taken.length).toBeLessThanOrEqual(Math.min(all.length, most) + 1);
        expect(new Set(taken.map(({ index }) => index)).size).toBe(taken.length);
        const kept = taken.map(({ index, factor }) => (all[index] ?? 0) * factor);
        const total = sum(all);
        // Systematic: what is left of the last τ is all that the sum may be off by, and that only by rounding.
        expect(sum(kept) / total).toBeGreaterThan(1 - 1 / Math.min(all.length, most) - 1e-6);
        expect(sum(kept) / total).toBeLessThan(1 + 1 / Math.min(all.length, most) + 1e-6);
      }),
    );
  });

  it('keeps the expectation of each', () => {
    const all = [1_000, 400, 90, 60, 50, 40, 30, 20, 10, 5, 3, 2, 1];
    const runs = 1_000;
    const sums = all.map(() => 0);
    for (let run = 0; run < runs; run++) {
      for (const { index, factor } of thin(all, 5, (run + 0.5) / runs)) sums[index] = (sums[index] ?? 0) + factor * (all[index] ?? 0);
    }
    for (const [index, total] of sums.entries()) expect(total / runs).toBeCloseTo(all[index] ?? 0, -1);
  });
});
