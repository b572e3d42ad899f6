import { describe, expect, it } from 'vitest';
import { AIMD_DEFAULTS, initial, type Aimd } from '../../../core/limits/aimd.ts';
import { laneRules, startDelayMs } from '../../../core/limits/lane-rules.ts';
import { adaptCell } from '../../../core/permits/adapt.ts';
import { cellLimit, cellsInUse, mostCells, PERMITS_PER_CELL, ratesOf, shareOf } from '../../../core/permits/cells.ts';
import { createLaneViews } from '../../../core/permits/views.ts';
import { createMemoryClock } from '../../../adapters/memory/clock.ts';
import type { Cell } from '../../../core/ports/permit-store.ts';
import { typeSpec } from '../../helpers/world.ts';
import { T0 } from '../../helpers/samples.ts';

const RULES = laneRules(typeSpec('echo', { concurrency: 400 }));
const FIXED = laneRules(typeSpec('echo', { concurrency: 400, adaptive: false }));
const cellOf = (over: Partial<Cell> = {}): Cell => ({ permits: [], raised: 0, cleared: 0, ...over });
const aimd = (over: Partial<Aimd> = {}): Aimd => ({ ...initial(AIMD_DEFAULTS, 40), ...over });
const well = (good: number, flight: number) => ({ throttled: [], good, held: 0, flight, waiting: true });

describe('the limit of a cell', () => {
  it('is its part of the concurrency where nothing else is known and nothing is adapted', () => {
    expect(shareOf(FIXED, 3, undefined)).toBe(PERMITS_PER_CELL);
    expect(cellLimit(FIXED, 3, cellOf({ aimd: aimd({ limit: 2 }) }))).toBe(PERMITS_PER_CELL);
    expect(cellLimit(FIXED, 10, undefined)).toBe(0);
  });

  it('is the least of what it found itself and its share', () => {
    expect(cellLimit(RULES, 0, undefined)).toBe(10);
    expect(cellLimit(RULES, 0, cellOf({ aimd: aimd({ limit: 25 }) }))).toBe(25);
    expect(cellLimit(RULES, 0, cellOf({ aimd: aimd({ limit: 25 }), share: { version: 1, share: 7, cells: 1 } }))).toBe(7);
    expect(cellLimit(RULES, 0, cellOf({ share: { version: 1, share: 0, cells: 1 } }))).toBe(0);
    expect(cellLimit(RULES, 0, cellOf({ share: { version: 2 } }))).toBe(10);
  });

  it('is that of the first cell alone at first, and of as many as are in use later', () => {
    expect([mostCells(RULES, undefined), cellsInUse(RULES, undefined)]).toEqual([10, 1]);
    expect(cellsInUse(RULES, cellOf({ cells: 4 }))).toBe(4);
    expect(cellsInUse(RULES, cellOf({ cells: 4, share: { version: 1, share: 3, cells: 2 } }))).toBe(2);
    expect(cellsInUse(FIXED, undefined)).toBe(10);
  });
});

describe('cells', () => {
  it('come when the first is full of its share for a round, twice as many each time', () => {
    const full = aimd({ limit: 40, round: 100 });
    expect(adaptCell(RULES, 0, cellOf({ aimd: full }), well(139, 40), T0)).toBeUndefined();
    expect(adaptCell(RULES, 0, cellOf({ aimd: full }), well(140, 19), T0)).toBeUndefined();
    expect(adaptCell(RULES, 0, cellOf({ aimd: full }), well(140, 40), T0)).toMatchObject({ cells: 2, aimd: { limit: 40, round: 140 } });
    expect(adaptCell(RULES, 0, cellOf({ aimd: full, cells: 8 }), well(140, 40), T0)?.cells).toBe(10);
    expect(adaptCell(RULES, 0, cellOf({ aimd: full, cells: 10 }), well(140, 40), T0)).toBeUndefined();
    // Another cell says nothing of their number.
    expect(adaptCell(RULES, 1, cellOf({ aimd: full }), well(140, 40), T0)).toBeUndefined();
  });

  it('come, too, where the share is no more than a new lane begins with', () => {
    const wide = laneRules(typeSpec('echo', { concurrency: 400, adaptive: { start: 40 } }));
    expect(adaptCell(wide, 0, cellOf(), well(40, 40), T0)).toMatchObject({ cells: 2, aimd: { limit: 40 } });
  });

  it('do not come while attempts are throttled', () => {
    const held = aimd({ limit: 40, slow: 1, at: T0 - 1 });
    expect(adaptCell(RULES, 0, cellOf({ aimd: held }), well(500, 40), T0)).toBeUndefined();
  });

  const signalled = (known: Partial<Aimd>, throttled: readonly number[]) =>
    adaptCell(
      RULES,
      0,
      cellOf({ aimd: aimd({ top: known.limit ?? 0, ...known }), cells: 4 }),
      { throttled, good: 0, held: 0, flight: known.limit ?? 0, waiting: true },
      T0,
    );

  it('go, half of them, when the first is down to a quarter of its share, and those that stay take over', () => {
    expect(signalled({ limit: 30 }, [T0, T0, T0])).toMatchObject({ aimd: { limit: 13 } });
    expect(signalled({ limit: 30 }, [T0, T0, T0])?.cells).toBeUndefined();
    expect(signalled({ limit: 20 }, [T0, T0, T0])).toMatchObject({ cells: 2, aimd: { limit: 18, top: 40, flight: 40 } });
  });

  it('go when the first has stepped back to that, but not while a fall goes on', () => {
    expect(signalled({ limit: 11, base: 500 }, [T0])).toMatchObject({ cells: 2, aimd: { limit: 20, top: 22 } });
    const falling = signalled({ limit: 11, base: 500, cutAt: T0 - 999 }, [T0]);
    expect(falling).toMatchObject({ aimd: { limit: 10 } });
    expect(falling?.cells).toBeUndefined();
  });

  it('of which one may have nothing change nothing', () => {
    expect(adaptCell(RULES, 0, cellOf({ share: { version: 1, share: 0 } }), well(500, 40), T0)).toBeUndefined();
    expect(adaptCell(FIXED, 0, cellOf(), well(500, 40), T0)).toBeUndefined();
  });
});

describe('the rules of a lane', () => {
  it('are those of its type, the rest as the platform has them', () => {
    expect(RULES).toEqual({ concurrency: 400, aimd: AIMD_DEFAULTS });
    const own = { start: 5, signals: 6, percent: 7, windowSeconds: 8, decrease: 0.6, startDelaySeconds: 9 };
    const spec = typeSpec('echo', { concurrency: 3, adaptive: own, rates: [{ limit: 1, perSeconds: 2 }] });
    expect(laneRules(spec)).toEqual({
      concurrency: 3,
      aimd: { start: 5, count: 6, rate: 0.07, windowMs: 8_000, decrease: 0.6 },
      rates: [{ limit: 1, perSeconds: 2 }],
    });
    expect([startDelayMs(spec), startDelayMs(typeSpec('echo')), startDelayMs(typeSpec('echo', { adaptive: false }))]).toEqual([
      9_000, 10_000, 10_000,
    ]);
    expect(ratesOf(laneRules(spec), undefined, 5, T0).allowed).toBe(1);
    expect(ratesOf(RULES, undefined, 5, T0)).toEqual({ allowed: 5, nextAt: T0, steps: [] });
  });
});

describe('what an environment remembers of lanes', () => {
  it('is what it heard last, and of the number of cells for ten seconds', () => {
    const clock = createMemoryClock(T0);
    const views = createLaneViews(clock);
    const lane = { tenant: 'a', type: 'echo' };
    expect([views.cell(lane, 0), views.first(lane)]).toEqual([undefined, undefined]);
    views.see(lane, 0, cellOf({ cells: 3, raised: 7 }));
    views.see(lane, 2, cellOf({ aimd: aimd({ limit: 4 }) }));
    expect(views.first(lane)).toEqual({ cells: 3 });
    clock.advance(10_000);
    expect([views.first(lane), views.cell(lane, 0)?.cells, views.cell(lane, 2)?.aimd?.limit]).toEqual([undefined, 3, 4]);
  });

  it('is not kept of more lanes than it has room for', () => {
    const views = createLaneViews(createMemoryClock(T0));
    for (let n = 0; n <= 1_000; n++) views.see({ tenant: `t${n}`, type: 'echo' }, 0, cellOf({ cells: 1 }));
    expect(views.cell({ tenant: 't0', type: 'echo' }, 0)).toBeUndefined();
    expect(views.cell({ tenant: 't1000', type: 'echo' }, 0)).toEqual({ cells: 1 });
  });
});
