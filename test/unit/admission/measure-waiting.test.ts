import type { AdmissionState } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import type { AdmissionBounds } from '../../../core/admission/bounds.ts';
import { measureWaiting } from '../../../core/admission/measure-waiting.ts';
import type { Lane } from '../../../core/ports/permit-store.ts';
import { T0 } from '../../helpers/samples.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

const ROUND_MS = 10_000;
/** What a round counts beyond the first hints of each lane. */
const COUNTED = 50_000;
const FIRST = 40;

/** Lanes of so many hints each, which are numbers here and no hints. */
function setUp(sizes: Record<string, number>, boundsOf: Readonly<Record<string, AdmissionBounds>>) {
  const types = [...new Set(Object.keys(sizes).map((name) => name.split('/')[1] ?? ''))];
  const { deps } = createWorld({ types: types.map((type) => typeSpec(type)) });
  const sizeOf = ({ tenant, type }: Lane): number => sizes[`${tenant}/${type}`] ?? 0;
  const counted = { first: 0, beyond: 0 };
  const backlog = {
    ...deps.backlog,
    measure: async (lane: Lane, atMost: number, from?: string) => {
      const begin = Number(from ?? 0);
      const count = Math.max(0, Math.min(sizeOf(lane) - begin, atMost));
      const more = sizeOf(lane) - begin > atMost;
      counted[from === undefined ? 'first' : 'beyond'] += count;
      return { count, more, oldestAt: from === undefined && count > 0 ? T0 : undefined, ...(more && { next: String(begin + count) }) };
    },
  };
  let before: AdmissionState | undefined;
  let now = T0;
  const round = async (first: readonly string[] = []): Promise<Record<string, number>> => {
    counted.beyond = 0;
    now += ROUND_MS;
    const lanes = Object.keys(sizes).flatMap((name): Lane[] => {
      const [tenant = '', type = ''] = name.split('/');
      return (sizes[name] ?? 0) > 0 ? [{ tenant, type }] : [];
    });
    const measured = await measureWaiting({ ...deps, backlog }, { lanes, boundsOf: new Map(Object.entries(boundsOf)), first, before, now });
    // As it is stored.
    before = {
      v: 1,
      at: now,
      pressed: false,
      environments: 0,
      lanes: [...measured.lanes],
      waiting: structuredClone([...measured.waiting]),
    };
    expect(counted.beyond).toBeLessThanOrEqual(COUNTED);
    return Object.fromEntries(measured.waiting.map(({ tenant, tasks }) => [tenant, tasks]));
  };
  return { round, sizes, counted, isCounting: () => before?.waiting.some(({ counting }) => counting !== undefined) };
}

describe('the backlogs of bounded tenants', () => {
  it('are counted up to their bounds in one round, over all lanes', async () => {
    const { round } = setUp(
      { 'a/x': 900, 'a/y': 30, 'a/z': 4_000, 'b/x': 7, 'c/x': 90_000 },
      {
        a: { backlog: 20_000 },
        b: { maxAgeSeconds: 60 },
        c: { backlog: 100 },
      },
    );
    expect(await round()).toEqual({ a: 4_930, b: 7, c: 101 });
  });

  it('are counted on from round to round where they are long, and no round counts more than it may', async () => {
    const { round, sizes, isCounting } = setUp({ 'a/x': 120_000, 'a/y': 30, 'a/z': 60_000 }, { a: { backlog: 100_000_000 } });
    const counts: (number | undefined)[] = [];
    for (let n = 0; n < 4; n++) counts.push((await round())['a']);
    expect(counts).toEqual([COUNTED + FIRST * 2 + 30, 2 * COUNTED + FIRST * 2 + 30, 3 * COUNTED + FIRST * 2 + 30, 180_030]);
    expect(isCounting()).toBe(false);
    // What is less is told once it is counted, what is more at once.
    sizes['a/x'] = 70_000;
    expect([(await round())['a'], (await round())['a'], (await round())['a']]).toEqual([180_030, 180_030, 130_030]);
    sizes['a/z'] = 1_000_000;
    let last = 0;
    for (let n = 0; n < 30 && last < 1_070_030; n++) last = (await round())['a'] ?? 0;
    expect(last).toBe(1_070_030);
  });

  it('of others are counted whole beside one of twelve million, which is counted on all the same', async () => {
    const bounds: Record<string, AdmissionBounds> = { huge: { backlog: 100_000_000 } };
    const sizes: Record<string, number> = { 'huge/x': 12_000_000 };
    for (let n = 0; n < 20; n++) {
      bounds[`t${n}`] = { backlog: 2_000 };
      sizes[`t${n}/x`] = 100 * n;
    }
    const { round } = setUp(sizes, bounds);
    let huge = 0;
    for (let n = 0; n < 5; n++) {
      const { huge: tasks = 0, ...others } = await round();
      expect(others).toEqual(Object.fromEntries(Array.from({ length: 19 }, (_, t) => [`t${t + 1}`, 100 * (t + 1)])));
      expect(tasks).toBeGreaterThanOrEqual(huge + 10_000);
      huge = tasks;
    }
  });

  it('come first where a quota was set', async () => {
    const bounds: Record<string, AdmissionBounds> = { told: { backlog: 45_000 } };
    const sizes: Record<string, number> = { 'told/x': 44_000 };
    for (let n = 0; n < 20; n++) {
      bounds[`t${n}`] = { backlog: 40_000 };
      sizes[`t${n}/x`] = 40_000;
    }
    expect((await setUp(sizes, bounds).round(['told']))['told']).toBe(44_000);
    expect((await setUp(sizes, bounds).round())['told']).toBeLessThan(10_000);
  });

  it('beyond their bounds stay so while they are counted again', async () => {
    const { round, sizes, isCounting } = setUp({ 'a/x': 12_000_000 }, { a: { backlog: 80_000 } });
    expect([(await round())['a'], (await round())['a']]).toEqual([COUNTED + FIRST, 80_001]);
    expect([(await round())['a'], isCounting(), (await round())['a'], isCounting()]).toEqual([80_001, true, 80_001, false]);
    sizes['a/x'] = 300;
    expect((await round())['a']).toBe(300);
  });
});
