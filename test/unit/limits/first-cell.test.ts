import { describe, expect, it } from 'vitest';
import { createMemoryClock } from '../../../adapters/memory/clock.ts';
import { adapt, AIMD_DEFAULTS, initial, type Aimd } from '../../../core/limits/aimd.ts';
import { laneRules } from '../../../core/limits/lane-rules.ts';
import { adaptFirst, tellsFirst } from '../../../core/permits/adapt.ts';
import { tuneLimit } from '../../../core/permits/tune.ts';
import { createLaneViews } from '../../../core/permits/views.ts';
import type { Cell } from '../../../core/ports/permit-store.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const SPEC = typeSpec('echo', { concurrency: 400 });
const RULES = laneRules(SPEC);
const LANE = { tenant: 'a', type: 'echo' };
const cellOf = (over: Partial<Cell> = {}): Cell => ({ permits: [], raised: 0, cleared: 0, ...over });
const aimd = (over: Partial<Aimd> = {}): Aimd => ({ ...initial(AIMD_DEFAULTS, 40), limit: 40, base: 500, since: T0, ...over });
/** Claimed a minute before it was heard of. */
const tooOld = (now: number): readonly number[] => [now - 60_000];
const NOW = T0 + 100_000;

describe('the first cell of a lane', () => {
  it('begins to watch when it hears that an event of another cell got too old', () => {
    const first = cellOf({ aimd: aimd(), cells: 10, good: 2_000, held: 1_000_000 });
    const told = adaptFirst(RULES, first, { throttled: tooOld(NOW), flight: 40 }, NOW);
    expect(told).toMatchObject({ aimd: { limit: 40, slow: 1, at: NOW, good: 2_000, lag: 60_000 } });
  });

  it('lowers nothing for it, however many there are', () => {
    const first = cellOf({ aimd: aimd(), cells: 10, good: 2_000, held: 1_000_000 });
    const throttled = Array.from({ length: 20 }, () => NOW - 60_000);
    expect(adaptFirst(RULES, first, { throttled, flight: 40 }, NOW)).toMatchObject({ aimd: { limit: 40, slow: 1 } });
  });

  it('need not hear of it while it watches, where it is the only one, or where it knows nothing', () => {
    const ends = { throttled: tooOld(NOW), flight: 40 };
    const watches = aimd({ slow: 1, at: NOW - AIMD_DEFAULTS.windowMs + 1 });
    expect(adaptFirst(RULES, cellOf({ aimd: watches, cells: 10 }), ends, NOW)).toBeUndefined();
    expect(adaptFirst(RULES, cellOf({ aimd: { ...watches, at: NOW - AIMD_DEFAULTS.windowMs }, cells: 10 }), ends, NOW)).toBeDefined();
    expect(adaptFirst(RULES, cellOf({ aimd: aimd() }), ends, NOW)).toBeUndefined();
    expect(adaptFirst(RULES, cellOf({ cells: 10 }), ends, NOW)).toBeUndefined();
  });

  it('need not hear of it where it may have less than its part of what the lane needs', () => {
    const few = (limit: number) => cellOf({ aimd: aimd({ limit, most: 200 }), cells: 10 });
    expect(adaptFirst(RULES, few(19), { throttled: tooOld(NOW), flight: 19 }, NOW)).toBeUndefined();
    expect(adaptFirst(RULES, few(20), { throttled: tooOld(NOW), flight: 20 }, NOW)).toBeDefined();
  });

  it('hears of others only, and only of what is late', () => {
    const changed = { aimd: aimd({ lag: 60_000 }) };
    expect(tellsFirst(RULES, 3, tooOld(NOW), changed)).toBe(true);
    expect(tellsFirst(RULES, 0, tooOld(NOW), changed)).toBe(false);
    expect(tellsFirst(RULES, 3, [], changed)).toBe(false);
    expect(tellsFirst(RULES, 3, tooOld(NOW), undefined)).toBe(false);
    expect(tellsFirst(RULES, 3, tooOld(NOW), { aimd: aimd({ lag: 100 }) })).toBe(false);
  });
});

describe('for how long attempts are held that wait for nothing', () => {
  const grows = { throttled: [], good: 1_040, held: 520_000 + 4_000 * 40, flight: 40, waiting: true };

  it('is what the first cell knows, where that is less', () => {
    const known = aimd({ limit: 20, round: 1_000, spent: 520_000, base: 4_000 });
    expect(adapt(known, { ...grows, base: 600 }, AIMD_DEFAULTS, 40, T0 + 1_000)?.base).toBeLessThan(605);
    expect(adapt({ ...known, base: 0 }, { ...grows, base: 600 }, AIMD_DEFAULTS, 40, T0 + 1_000)?.base).toBeLessThan(605);
    expect(adapt(known, { ...grows, base: 9_000 }, AIMD_DEFAULTS, 40, T0 + 1_000)?.base).toBe(4_000);
  });

  it('becomes longer in an hour, not because the limit changes often', () => {
    const known = aimd({ limit: 20, round: 1_000, spent: 520_000, base: 500 });
    const after = (ms: number) => adapt(known, grows, AIMD_DEFAULTS, 40, T0 + ms)?.base;
    expect(after(1_000)).toBe(501);
    expect(after(360_000)).toBe(850);
    expect(after(3_600_000)).toBe(4_000);
    expect(after(7_200_000)).toBe(4_000);
  });
});

describe('the end of an attempt in another cell', () => {
  const start = async () => {
    const { deps, clock } = createWorld({ types: [SPEC] });
    const { permits } = deps;
    const since = clock.now() - 100_000;
    await permits.adapt(LANE, 0, aimd({ since }), await permits.read(LANE, 0), 10);
    await permits.adapt(LANE, 3, aimd({ since }), await permits.read(LANE, 3));
    const views = createLaneViews(clock);
    const tune = async (over: { readonly cell: number; readonly claimedAt: number; readonly throttled?: boolean }) => {
      const end = { throttled: over.throttled ?? true, claimedAt: over.claimedAt };
      const after = await permits.read(LANE, over.cell);
      return tuneLimit({ ...deps, views }, { lane: LANE, cell: over.cell, after, rules: RULES, ends: [end], released: 30 });
    };
    return { permits, clock, views, tune };
  };

  it('tells the first one when it got too old', async () => {
    const { permits, clock, views, tune } = await start();
    expect((await tune({ cell: 3, claimedAt: clock.now() - 60_000 })).aimd).toMatchObject({ slow: 1, lag: 60_000 });
    expect((await permits.read(LANE, 0)).aimd).toMatchObject({ limit: 40, slow: 1, lag: 60_000, at: clock.now() });
    expect(views.cell(LANE, 0)?.aimd).toMatchObject({ slow: 1 });
  });

  it('tells it nothing else', async () => {
    const { permits, clock, tune } = await start();
    const before = (await permits.read(LANE, 0)).aimd;
    await tune({ cell: 3, claimedAt: clock.now() - 100 });
    await tune({ cell: 3, claimedAt: clock.now() - 500, throttled: false });
    expect((await permits.read(LANE, 0)).aimd).toEqual(before);
  });

  it('changes its own cell though the first one cannot be told', async () => {
    const { permits, clock } = await start();
    const { deps } = createWorld({ types: [SPEC] });
    const broken = { ...permits, read: () => Promise.reject(new Error('throttled')) };
    const after = await permits.read(LANE, 3);
    const ends = [{ throttled: true, claimedAt: clock.now() - 60_000 }];
    const tuned = await tuneLimit(
      { ...deps, clock: createMemoryClock(clock.now()), permits: broken },
      { lane: LANE, cell: 3, after, rules: RULES, ends, released: 30 },
    );
    expect(tuned.aimd).toMatchObject({ slow: 1 });
    expect((await permits.read(LANE, 0)).aimd).toMatchObject({ slow: 0 });
  });
});
