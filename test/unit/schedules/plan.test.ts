import type { Misfire } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideOverlap, planDue, type PlanInput } from '../../../core/schedules/plan.ts';
import { occurrencesOf } from '../../../core/schedules/times.ts';

const MINUTE = 60_000;
const every = (everySeconds: number) => occurrencesOf({ timezone: 'UTC', anchor: 0, everySeconds });

function plan(over: Partial<PlanInput> = {}) {
  return planDue({
    next: 10 * MINUTE,
    since: 0,
    nextAfter: every(600),
    jitterSeconds: 0,
    jitter: () => 0,
    misfire: { policy: 'once' },
    now: 10 * MINUTE,
    ...over,
  });
}

describe('what is due', () => {
  it('is the occurrence whose time has come', () => {
    expect(plan()).toEqual({ run: [10 * MINUTE], missed: undefined, next: 20 * MINUTE });
  });

  it('is nothing before its time, and before its jitter', () => {
    expect(plan({ now: 10 * MINUTE - 1 })).toEqual({ run: [], missed: undefined, next: 10 * MINUTE });
    expect(plan({ jitterSeconds: 30, jitter: () => 20_000 })).toMatchObject({ run: [], next: 10 * MINUTE });
    expect(plan({ jitterSeconds: 30, jitter: () => 20_000, now: 10 * MINUTE + 20_000 })).toMatchObject({ run: [10 * MINUTE] });
  });

  it('is all of several that are less than a minute late', () => {
    const now = 10 * MINUTE + 35_000;
    expect(plan({ nextAfter: every(10), now }).run).toHaveLength(4);
  });

  it('after an update has nothing of the new times that was before it', () => {
    const nextAfter = every(60);
    expect(plan({ nextAfter, since: 12 * MINUTE + 1, now: 13 * MINUTE })).toMatchObject({ run: [13 * MINUTE], missed: { count: 1 } });
  });
});

describe('what was missed', () => {
  const now = 65 * MINUTE;
  const cases: [Misfire, number[], number | undefined][] = [
    [{ policy: 'skip' }, [], 6],
    [{ policy: 'once' }, [60], 5],
    [{ policy: 'all', max: 2 }, [50, 60], 4],
    [{ policy: 'all', max: 100 }, [10, 20, 30, 40, 50, 60], undefined],
    [{ policy: 'all' }, [10, 20, 30, 40, 50, 60], undefined],
  ];
  it.each(cases)('by %j runs at %j', (misfire, minutes, count) => {
    const planned = plan({ misfire, now });
    expect(planned.run).toEqual(minutes.map((m) => m * MINUTE));
    expect(planned.missed?.count).toBe(count);
    expect(planned.next).toBe(70 * MINUTE);
  });

  it('with one that is in time is caught up by that one', () => {
    expect(plan({ now: 60 * MINUTE + 30_000 })).toEqual({
      run: [60 * MINUTE],
      missed: { count: 5, last: 50 * MINUTE },
      next: 70 * MINUTE,
    });
  });

  it('for a year of seconds is found without walking it', () => {
    const year = 365 * 86_400_000;
    const planned = plan({ next: 1_000, nextAfter: every(1), now: year, misfire: { policy: 'all', max: 3 } });
    expect(planned.run.slice(0, 3)).toEqual([year - 63_000, year - 62_000, year - 61_000]);
    expect(planned.run.at(-1)).toBe(year);
    expect(planned.next).toBe(year + 1_000);
    expect(planned.missed?.count).toBeGreaterThanOrEqual(9_000);
  });

  it('for years of a sparse cron too', () => {
    const nextAfter = occurrencesOf({ cron: '0 0 * * *', timezone: 'Europe/Berlin', anchor: 0 });
    const planned = plan({ next: nextAfter(0) ?? 0, nextAfter, now: Date.UTC(2026, 0, 1), misfire: { policy: 'once' } });
    expect(new Date(planned.run[0] ?? 0).toISOString()).toBe('2025-12-31T23:00:00.000Z');
  });
});

describe('a plan', () => {
  const misfires = fc.oneof(
    fc.constant<Misfire>({ policy: 'skip' }),
    fc.constant<Misfire>({ policy: 'once' }),
    fc.integer({ min: 1, max: 100 }).map((max): Misfire => ({ policy: 'all', max })),
  );
  it('decides each occurrence up to now once, whenever one looks', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.integer({ min: 0, max: 600 }),
        misfires,
        fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1, maxLength: 8 }),
        (seconds, jitterSeconds, misfire, steps) => {
          const nextAfter = every(seconds);
          const jitter = (at: number) => ((at * 7919) % (jitterSeconds * 1000 + 1)) | 0;
          let [now, next, decided] = [0, nextAfter(0) ?? 0, 0];
          let last = 0;
          for (const step of steps) {
            now += step;
            const planned = plan({ next, nextAfter, jitterSeconds, jitter, misfire, now });
            for (const at of planned.run) {
              expect(at).toBeGreaterThan(last);
              expect(at + jitter(at)).toBeLessThanOrEqual(now);
              last = at;
            }
            decided += planned.run.length + (planned.missed?.count ?? 0);
            next = planned.next ?? 0;
            expect(next + jitter(next)).toBeGreaterThan(now);
            expect(decided).toBe(next / (seconds * 1000) - 1);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('the overlap policy', () => {
  it.each([
    ['allow', true, true, 'submit'],
    ['skip', false, false, 'submit'],
    ['skip', true, false, 'skip'],
    ['buffer', false, false, 'submit'],
    ['buffer', true, false, 'wait'],
    ['buffer', true, true, 'skip'],
    ['buffer', false, true, 'skip'],
    ['cancel', false, false, 'submit'],
    ['cancel', true, false, 'replace'],
  ] as const)('%s, live: %s, waiting: %s: %s', (overlap, isLive, isWaiting, expected) => {
    expect(decideOverlap(overlap, isLive, isWaiting)).toBe(expected);
  });
});
