import { PRIORITIES, type Priority } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshLimit, limitOf } from '../../core/priority/reserve.ts';
import {
  DEFAULT_BOUNDS,
  depthOf,
  longestWaitMs,
  SURE_TURNS,
  takeTurns,
  TURNS,
  type StarvationBounds,
  type Waiting,
} from '../../core/priority/turns.ts';

const limits = fc.integer({ min: 1, max: 10_000 });
const bounds = fc.record({ normalSeconds: fc.integer({ min: 10, max: 600 }), lowSeconds: fc.integer({ min: 10, max: 3_600 }) });

describe('trunk reservation', () => {
  it('lets high fill the limit, and each class below less of it, but never nothing', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        const [high, normal, low] = PRIORITIES.map((priority) => limitOf(priority, limit)) as [number, number, number];
        expect(high).toBe(limit);
        expect(normal).toBeLessThanOrEqual(high);
        expect(low).toBeLessThanOrEqual(normal);
        expect(low).toBeGreaterThanOrEqual(1);
        expect(low).toBeGreaterThanOrEqual(0.9 * limit);
        expect(freshLimit('high', limit)).toBeLessThan(limit);
      }),
    );
  });

  it.each([
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
    [10, 10, 9],
    [20, 19, 18],
    [50, 48, 45],
  ])('of a limit of %i normal may fill %i and low %i', (limit, normal, low) => {
    expect([limitOf('normal', limit), limitOf('low', limit)]).toEqual([normal, low]);
  });
});

interface Task extends Waiting {
  readonly name: number;
}

const tasks = fc
  .array(fc.record({ priority: fc.constantFrom(...PRIORITIES), at: fc.integer({ min: 0, max: 4_000_000 }) }), { maxLength: 60 })
  .map((all) => all.map((each, name): Task => ({ ...each, name })));
const round = fc.record({ turn: fc.nat(1_000), room: fc.integer({ min: 1, max: 50 }), now: fc.constant(4_000_000), bounds });

describe('turns', () => {
  it('take as many as there is room for, each once, and each class in the order of time', () => {
    fc.assert(
      fc.property(tasks, round, (waiting, given) => {
        const picks = takeTurns(waiting, given).map((pick) => pick.waiting);
        expect(new Set(picks).size).toBe(Math.min(given.room, waiting.length));
        for (const priority of PRIORITIES) {
          const times = picks.filter((task) => task.priority === priority).map(({ at }) => at);
          expect(times).toEqual(times.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('pass over a higher class only on a turn that is the lower one’s own', () => {
    fc.assert(
      fc.property(tasks, round, (waiting, given) => {
        let left = [...waiting];
        for (const { waiting: picked, own } of takeTurns(waiting, given)) {
          if (!own) expect(left.every(({ priority }) => PRIORITIES.indexOf(priority) >= PRIORITIES.indexOf(picked.priority))).toBe(true);
          left = left.filter((each) => each !== picked);
        }
      }),
    );
  });

  // So a backlog is read no further than that.
  it('choose the same from the first ones of each class as from all', () => {
    fc.assert(
      fc.property(tasks, round, (waiting, given) => {
        const sorted = takeTurns(waiting, { ...given, turn: 0, room: waiting.length, bounds: { normalSeconds: 1e9, lowSeconds: 1e9 } });
        const byClass = (priority: Priority) => sorted.map((p) => p.waiting).filter((each) => each.priority === priority);
        const inOrder = PRIORITIES.flatMap(byClass);
        const first = inOrder.slice(0, given.room);
        const known = new Set([
          ...first,
          ...byClass('normal').slice(0, depthOf('normal', given.turn, given.room)),
          ...byClass('low').slice(0, depthOf('low', given.turn, given.room)),
        ]);
        // What an own turn takes, one by class does not: as many more are looked at as there may be own turns.
        expect(takeTurns([...known], given)).toEqual(takeTurns(waiting, given));
      }),
    );
  });

  it('give each class its guaranteed share of any twenty, when all have work', () => {
    fc.assert(
      fc.property(fc.nat(1_000), (turn) => {
        const waiting = PRIORITIES.flatMap((priority) => Array.from({ length: TURNS }, (_, at): Waiting => ({ priority, at })));
        const picks = takeTurns(waiting, { turn, room: TURNS, now: 1_000, bounds: DEFAULT_BOUNDS }).map((p) => p.waiting.priority);
        const count = (priority: Priority) => picks.filter((each) => each === priority).length;
        expect([count('high'), count('normal'), count('low')]).toEqual([17, 2, 1]);
        const late = takeTurns(waiting, { turn, room: TURNS, now: 10_000_000, bounds: DEFAULT_BOUNDS }).map((p) => p.waiting.priority);
        expect(late.filter((each) => each === 'high')).toHaveLength(TURNS - SURE_TURNS.normal - SURE_TURNS.low);
      }),
    );
  });
});

/** A lane that is always full of high ones, and starts one task every so many ms. @returns the waits of the others, ms, by class. */
function overload(limits: StarvationBounds, everyMs: number, arrivals: readonly Waiting[]): Record<'normal' | 'low', number[]> {
  const waits = { normal: [] as number[], low: [] as number[] };
  let waiting = [...arrivals];
  for (let turn = 0, now = 0; waiting.length > 0; turn++, now += everyMs) {
    const here = waiting.filter(({ at }) => at <= now);
    const [pick] = takeTurns([{ priority: 'high' as const, at: now }, ...here], { turn, room: 1, now, bounds: limits });
    if (!pick || pick.waiting.priority === 'high') continue;
    waits[pick.waiting.priority].push(now - pick.waiting.at);
    waiting = waiting.filter((each) => each !== pick.waiting);
  }
  return waits;
}

describe('under a permanent overload of high', () => {
  const burst = fc.record({ normal: fc.integer({ min: 0, max: 12 }), low: fc.integer({ min: 0, max: 12 }) });

  it('no burst of a class waits for longer than the formula says', () => {
    fc.assert(
      fc.property(bounds, fc.integer({ min: 50, max: 2_000 }), burst, (limits, everyMs, { normal, low }) => {
        const of = (priority: Priority, count: number) => Array.from({ length: count }, (): Waiting => ({ priority, at: 0 }));
        const waits = overload(limits, everyMs, [...of('normal', normal), ...of('low', low)]);
        for (const priority of ['normal', 'low'] as const) {
          const longest = longestWaitMs(priority, limits, { normal, low }[priority], 1_000 / everyMs);
          for (const wait of waits[priority]) expect(wait).toBeLessThanOrEqual(longest);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('a stream within its share waits for no longer than its bound', () => {
    const everyMs = 1_000;
    // Three and four of twenty starts: all that is sure.
    const stream = (priority: Priority, gap: number) => Array.from({ length: 400 }, (_, n): Waiting => ({ priority, at: n * gap }));
    const waits = overload(DEFAULT_BOUNDS, everyMs, [...stream('normal', 5_000), ...stream('low', 6_700)]);
    expect(Math.max(...waits.normal)).toBeLessThanOrEqual(DEFAULT_BOUNDS.normalSeconds * 1_000);
    expect(Math.max(...waits.low)).toBeLessThanOrEqual(DEFAULT_BOUNDS.lowSeconds * 1_000);
  });
});
