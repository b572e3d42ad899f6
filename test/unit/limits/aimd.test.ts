import { describe, expect, it } from 'vitest';
import { adapt, AIMD_DEFAULTS as RULES, initial, limitOf, pausedUntil, type Aimd, type Ends } from '../../../core/limits/aimd.ts';
import { between, runModel, throttledShare, useOf, type CapacityModel } from '../../helpers/capacity-model.ts';
import { T0 } from '../../helpers/samples.ts';

const SECOND = 1_000;
const PROMPT = { runs: SECOND, refusedAfter: 30, refill: 5, share: 200, ms: 400 * SECOND } as const;
const aimd = (over: Partial<Aimd> = {}): Aimd => ({ ...initial(RULES, 200), ...over });
const ends = (over: Partial<Ends> = {}): Ends => ({ throttled: [], good: 0, held: 0, flight: 10, waiting: true, ...over });
const step = (known: Aimd | undefined, over: Partial<Ends>, { share = 200, now = T0 } = {}) => adapt(known, ends(over), RULES, share, now);

describe('the limit of a lane before a capacity that nobody tells it of', () => {
  const model = (capacity: number, more: Partial<CapacityModel> = {}) => runModel({ ...PROMPT, capacity: () => capacity, ...more });

  it.each([2, 5, 10, 20, 40, 100])(
    'finds a capacity of %d within 60 s, and then uses it to 95 per cent, with 2 per cent throttled at most',
    (capacity) => {
      for (const seed of [1, 2, 3]) {
        const all = model(capacity, { seed });
        const minute = 60 * SECOND;
        const windows = Array.from({ length: 55 }, (_, n) => useOf(all, n * SECOND, (n + 5) * SECOND, capacity, SECOND));
        expect(Math.max(...windows)).toBeGreaterThanOrEqual(0.95);
        expect(useOf(all, minute, 400 * SECOND, capacity, SECOND)).toBeGreaterThanOrEqual(0.95);
        expect(throttledShare(all, minute, 400 * SECOND)).toBeLessThanOrEqual(0.02);
      }
    },
  );

  it.each([300, 500, 3_000])('of attempts that run for %d ms, too', (runs) => {
    for (const capacity of [5, 20, 40]) {
      const all = model(capacity, { runs });
      expect(useOf(all, 60 * SECOND, 400 * SECOND, capacity, runs)).toBeGreaterThanOrEqual(0.93);
      expect(throttledShare(all, 60 * SECOND, 400 * SECOND)).toBeLessThanOrEqual(0.02);
    }
  });

  it.each([10, 20, 40, 100])('is at a tenth of %d at most 5 s after it has fallen to that', (capacity) => {
    const fell = 100 * SECOND;
    const all = runModel({ ...PROMPT, capacity: (at) => (at < fell ? capacity : capacity / 10) });
    const settled = all.find(({ at, flight }) => at >= fell && flight <= capacity / 10);
    expect(settled?.at).toBeLessThanOrEqual(fell + 5 * SECOND);
    expect(throttledShare(all, fell + 5 * SECOND, 400 * SECOND)).toBeLessThanOrEqual(0.025);
    expect(useOf(all, 150 * SECOND, 400 * SECOND, capacity / 10, SECOND)).toBeGreaterThanOrEqual(0.9);
  });

  it.each([2_000, 10_000])('does not stay far below what a fall has left, of attempts of %d ms', (runs) => {
    const [capacity, fell] = [100, 200 * SECOND];
    for (const seed of [1, 2, 3]) {
      const all = runModel({ ...PROMPT, runs, seed, capacity: (at) => (at < fell ? capacity : capacity / 10), ms: 800 * SECOND });
      expect(useOf(all, 400 * SECOND, 800 * SECOND, capacity / 10, runs)).toBeGreaterThanOrEqual(0.9);
      expect(throttledShare(all, 400 * SECOND, 800 * SECOND)).toBeLessThanOrEqual(0.02);
    }
  });

  it('finds its way back when the capacity comes back', () => {
    const all = runModel({ ...PROMPT, capacity: (at) => (at < 100 * SECOND || at > 160 * SECOND ? 100 : 10), ms: 300 * SECOND });
    expect(useOf(all, 260 * SECOND, 300 * SECOND, 100, SECOND)).toBeGreaterThanOrEqual(0.9);
  });

  it('knows 70 s after a fall what only the age of events tells', () => {
    const fell = 200 * SECOND;
    const all = runModel({ ...PROMPT, capacity: (at) => (at < fell ? 40 : 4), refusedAfter: 60 * SECOND, share: 40, ms: 400 * SECOND });
    const before = between(all, 0, fell).at(-1);
    expect(before?.limit).toBe(40);
    const after = between(all, 0, fell + 70 * SECOND).at(-1);
    expect(after?.flight).toBeLessThanOrEqual(8);
  });
});

describe('AIMD', () => {
  it('begins with ten attempts at once, or with its share where that is less', () => {
    expect(limitOf(undefined, RULES, 40)).toBe(10);
    expect(limitOf(undefined, RULES, 3)).toBe(3);
    expect(limitOf(undefined, RULES, 0)).toBe(0);
    expect(limitOf(aimd({ limit: 30 }), RULES, 20)).toBe(20);
  });

  it('doubles in slow start after as many successes as the limit, up to its share', () => {
    expect(step(undefined, { good: 9 })).toBeUndefined();
    const next = step(undefined, { good: 10 });
    expect(next).toMatchObject({ limit: 20, step: 10, round: 10 });
    expect(step(next, { good: 30, flight: 20 }, { share: 32 })).toMatchObject({ limit: 32, step: 12 });
    expect(step(aimd({ limit: 32 }), { good: 99, flight: 32 }, { share: 32 })).toBeUndefined();
  });

  it('raises no limit that is not used', () => {
    expect(step(undefined, { good: 100, flight: 4 })).toBeUndefined();
    expect(step(undefined, { good: 100, flight: 5 })?.limit).toBe(20);
    // Where nothing waits, half of it is enough.
    expect(step(undefined, { good: 100, flight: 8, waiting: false })).toBeUndefined();
    expect(step(undefined, { good: 100, flight: 9, waiting: false })?.limit).toBe(20);
  });

  it('lowers when both thresholds are crossed, and holds below', () => {
    const known = aimd({ limit: 40, round: 1_000, step: 1 });
    let state = step(known, { throttled: [T0 - 1], good: 1_000, flight: 40 });
    expect(state).toMatchObject({ limit: 40, slow: 1 });
    state = step(state, { throttled: [T0], good: 1_100, flight: 40 }, { now: T0 + SECOND });
    // Two signals are too few, and held is what was throttled a moment ago.
    expect(state).toMatchObject({ limit: 40, slow: 2 });
    expect(step(state, { good: 9_000, flight: 40 }, { now: T0 + SECOND })).toBeUndefined();
    // Three of 203 are less than 2 %.
    expect(step(state, { throttled: [T0], good: 1_200, flight: 40 }, { now: T0 + SECOND })?.limit).toBe(40);
    expect(step(state, { throttled: [T0], good: 1_147, flight: 40 }, { now: T0 + SECOND })).toMatchObject({ limit: 36, top: 40, step: 0 });
  });

  it('forgets signals that are older than the window', () => {
    const state = step(aimd({ limit: 40 }), { throttled: [T0, T0], flight: 40 });
    expect(step(state, { throttled: [T0 + 1], flight: 40 }, { now: T0 + RULES.windowMs })).toMatchObject({ limit: 40, slow: 1 });
  });

  it('goes back from slow start to what was well', () => {
    const state = step(undefined, { good: 10 });
    expect(step(state, { throttled: [T0, T0, T0], good: 20, flight: 20 })).toMatchObject({ limit: 9, top: 20 });
  });

  it('takes what was in flight when it lowered once: more of that only says how much was too many', () => {
    const cut = step(aimd({ limit: 40 }), { throttled: [T0, T0, T0], good: 0, flight: 40 });
    expect(cut).toMatchObject({ limit: 18, flight: 40, cutAt: T0 });
    const twenty = step(cut, { throttled: Array.from({ length: 20 }, () => T0), flight: 37 });
    expect(twenty).toMatchObject({ limit: 18, late: 20 });
    expect(step(twenty, { throttled: Array.from({ length: 15 }, () => T0), flight: 17 })).toMatchObject({ limit: 5, late: 35 });
    expect(step(aimd({ limit: 1, cutAt: T0 }), { throttled: [T0], flight: 1 })).toBeUndefined();
    // Those that were claimed since are news.
    const fresh = step(cut, { throttled: [T0 + 1, T0 + 1, T0 + 1], flight: 18 }, { now: T0 + 2 });
    expect(fresh).toMatchObject({ limit: 8, cutAt: T0 + 2 });
  });

  it('never lowers to nothing, and from one not at all', () => {
    expect(step(aimd({ limit: 2, top: 2 }), { throttled: [T0, T0], flight: 2 })?.limit).toBe(1);
    expect(step(aimd({ limit: 1, top: 2 }), { throttled: [T0, T0, T0], flight: 1 })?.limit).toBe(1);
  });

  it('pauses when its only attempt is throttled, longer each time, until one goes well', () => {
    let state = step(aimd({ limit: 1, top: 2 }), { throttled: [T0 - 1], flight: 1 });
    const pauses = [state?.pause];
    for (let n = 1; n <= 6; n++) {
      // One that had been claimed before says nothing new.
      expect(step(state, { throttled: [T0 + n - 2], flight: 1 }, { now: T0 + n })).toBeUndefined();
      state = step(state, { throttled: [T0 + n], flight: 1 }, { now: T0 + n });
      pauses.push(state?.pause);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(state && pausedUntil(state)).toBe(T0 + 6 + 30_000);
    const well = step(state, { good: 1, flight: 1 }, { now: T0 + 40_000 });
    expect(well).toMatchObject({ pause: 0, limit: 1 });
    expect(well && pausedUntil(well)).toBe(0);
  });

  it('climbs quickly below the old top, waits there, and goes beyond it faster and faster while it goes well', () => {
    let state = aimd({ limit: 90, top: 101, round: 0 });
    let good = 0;
    const limits: number[] = [];
    for (let changes = 0; changes < 12; good += 1) {
      const next = step(state, { good, flight: state.limit });
      if (!next) continue;
      state = next;
      limits.push(next.limit);
      changes += 1;
    }
    expect(limits).toEqual([92, 94, 95, 96, 97, 98, 99, 100, 101, 103, 107, 115]);
    expect(good).toBeGreaterThan(1_000);
  });

  it('steps back by one for each signal near the old top, and by all of what it was raised by beyond it', () => {
    const near = aimd({ limit: 100, top: 101, step: 0, good: 5 });
    expect(step(near, { throttled: [T0], good: 90, flight: 100 })).toMatchObject({ limit: 99, top: 100, cutAt: T0, slow: 1, round: 90 });
    expect(step(near, { throttled: [T0, T0], good: 90, flight: 100 })).toMatchObject({ limit: 98, top: 99, slow: 2 });
    expect(step(aimd({ limit: 108, top: 101, step: 4 }), { throttled: [T0], flight: 108 })).toMatchObject({
      limit: 104,
      top: 105,
      step: 0,
    });
    // Of slow start one signal says too little.
    expect(step(aimd({ limit: 40 }), { throttled: [T0], flight: 40 })).toMatchObject({ limit: 40, slow: 1 });
  });

  it('steps up so rarely that a part of the rate is throttled', () => {
    const successes = (known: Partial<Aimd>, percent: number, others = false) =>
      Array.from({ length: 1_000 }, (_, good) => good).find((good) =>
        adapt(
          aimd({ top: (known.limit ?? 0) + 1, ...known }),
          ends({ good, flight: 200, others }),
          { ...RULES, rate: percent / 100 },
          200,
          T0,
        ),
      );
    expect([successes({ limit: 100 }, 2), successes({ limit: 100 }, 10), successes({ limit: 100 }, 1)]).toEqual([120, 24, 240]);
    // A small limit waits for fewer, and for fewer still beside others.
    expect([successes({ limit: 1 }, 2), successes({ limit: 2 }, 2), successes({ limit: 3 }, 2, true)]).toEqual([60, 120, 30]);
  });

  it('remembers through a fall where it began, and knows nothing after a deep one', () => {
    const three = [T0, T0, T0];
    expect(step(aimd({ limit: 20, top: 60, base: 500, cutAt: T0 - 900 }), { throttled: three, flight: 20 })).toMatchObject({
      limit: 9,
      top: 0,
    });
    expect(step(aimd({ limit: 40, top: 60, base: 500, cutAt: T0 - 900 }), { throttled: three, flight: 40 })).toMatchObject({
      limit: 18,
      top: 60,
    });
    expect(step(aimd({ limit: 40, top: 60, base: 500, cutAt: T0 - 1_000 }), { throttled: three, flight: 40 })).toMatchObject({ top: 40 });
    expect(step(aimd({ limit: 40, top: 60, base: 500, cutAt: T0 - 900 }), { throttled: [T0], flight: 40 })).toMatchObject({
      limit: 39,
      top: 60,
    });
    const cut = aimd({ limit: 18, top: 60, flight: 40, cutAt: T0 });
    expect(step(cut, { throttled: Array.from({ length: 25 }, () => T0), flight: 30 })).toMatchObject({ limit: 15, top: 60 });
  });
});
