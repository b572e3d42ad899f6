import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimRates, stepped, type Rate } from '../../core/limits/gcra.ts';
import { T0 } from '../helpers/samples.ts';

const rate = fc.record({ limit: fc.integer({ min: 1, max: 50 }), perSeconds: fc.integer({ min: 1, max: 120 }) });
const rates = fc.array(rate, { minLength: 1, maxLength: 2 });
const asks = fc.array(fc.record({ after: fc.integer({ min: 0, max: 30_000 }), wanted: fc.integer({ min: 1, max: 60 }) }), {
  maxLength: 60,
});

interface Passed {
  readonly at: number;
  readonly n: number;
}

/** Takes all that may pass, ask by ask. */
function take(of: readonly Rate[], each: readonly { after: number; wanted: number }[]): readonly Passed[] {
  let tats: (number | undefined)[] = [];
  let now = T0;
  return each.map(({ after, wanted }) => {
    now += after;
    const { allowed, steps } = claimRates(of, tats, wanted, now);
    if (allowed > 0) tats = steps.map((step, i) => stepped(tats[i], step));
    if (allowed > 0) expect(tats).not.toContain(undefined);
    return { at: now, n: allowed };
  });
}

const within = (passed: readonly Passed[], from: number, to: number) =>
  passed.reduce((sum, { at, n }) => sum + (at >= from && at < to ? n : 0), 0);

describe('GCRA', () => {
  it('lets pass at most twice the limit in any window, and over any time no more than the pace and one burst', () => {
    fc.assert(
      fc.property(rates, asks, (of, each) => {
        const passed = take(of, each);
        for (const { limit, perSeconds } of of) {
          for (const { at } of passed) {
            expect(within(passed, at, at + perSeconds * 1_000)).toBeLessThanOrEqual(2 * limit);
            const time = (passed.at(-1)?.at ?? at) + 1 - at;
            expect(within(passed, at, Infinity)).toBeLessThanOrEqual(limit + Math.ceil((time / 1_000 / perSeconds) * limit));
          }
        }
      }),
    );
  });

  it('refuses none that a window has room for, and says when the next may pass', () => {
    fc.assert(
      fc.property(rates, asks, (of, each) => {
        let tats: (number | undefined)[] = [];
        let now = T0;
        for (const { after, wanted } of each) {
          now += after;
          const { allowed, nextAt, steps } = claimRates(of, tats, wanted, now);
          if (allowed > 0) tats = steps.map((step, i) => stepped(tats[i], step));
          else {
            expect(nextAt).toBeGreaterThan(now);
            expect(claimRates(of, tats, 1, nextAt).allowed).toBe(1);
            expect(claimRates(of, tats, 1, nextAt - 1).allowed).toBe(0);
          }
        }
      }),
    );
  });

  it('keeps the pace of a lane that always wants more', () => {
    const each = Array.from({ length: 1_001 }, () => ({ after: 100, wanted: 100 }));
    expect(within(take([{ limit: 10, perSeconds: 1 }], each), 0, Infinity)).toBe(10 + 1_000);
  });

  it('holds two windows at once, in whatever order they are written', () => {
    const each = Array.from({ length: 3_600 }, () => ({ after: 1_000, wanted: 100 }));
    const two: Rate[] = [
      { limit: 10, perSeconds: 1 },
      { limit: 5_000, perSeconds: 3_600 },
    ];
    const passed = take(two, each);
    expect(Math.max(...passed.map(({ n }) => n))).toBe(10);
    // A burst, and what an hour brings.
    expect(within(passed, 0, Infinity)).toBeGreaterThan(9_990);
    expect(within(passed, 0, Infinity)).toBeLessThanOrEqual(10_000);
    expect(take(two.toReversed(), each)).toEqual(passed);
  });

  it('does not hold a lane back for what a former rate has let pass', () => {
    const hour = [{ limit: 1, perSeconds: 3_600 }];
    const { steps } = claimRates(hour, [], 1, T0);
    const tats = steps.map((step) => stepped(undefined, step));
    const { allowed, steps: next } = claimRates([{ limit: 5, perSeconds: 1 }], tats, 9, T0 + 1);
    expect(allowed).toBe(5);
    expect(next.map((step, i) => stepped(tats[i], step))).toEqual([(T0 + 1) * 1_000 + 1_000_000]);
  });

  it('a step whose condition is lost changes nothing', () => {
    const [rested] = claimRates([{ limit: 2, perSeconds: 1 }], [], 1, T0).steps;
    const [busy] = claimRates([{ limit: 2, perSeconds: 1 }], [T0 * 1_000 + 1], 1, T0).steps;
    if (!rested || !busy) throw new Error('no step');
    expect(stepped(T0 * 1_000 + 1, rested)).toBeUndefined();
    expect(stepped(undefined, busy)).toBeUndefined();
    expect(stepped(T0 * 1_000 + 1_000_000, busy)).toBeUndefined();
    expect(stepped(7, { ...busy, was: 'stray', seen: 8 })).toBeUndefined();
  });
});
