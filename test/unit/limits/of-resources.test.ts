import type { ResourceSpec } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { laneRules } from '../../../core/limits/lane-rules.ts';
import { withResources } from '../../../core/limits/of-resources.ts';
import { typeSpec } from '../../../sim/type-spec.ts';

const resources = (adaptive: Record<string, ResourceSpec['adaptive']>): ReadonlyMap<string, ResourceSpec> =>
  new Map(
    Object.entries(adaptive).map(([resource, each]) => [
      resource,
      { v: 1, resource, concurrency: 20, ...(each !== undefined && { adaptive: each }) },
    ]),
  );
const { adaptive: _, ...plain } = typeSpec('mail');
const on = (...names: string[]) => ({ ...plain, resources: names });

describe('how a type finds the capacity behind it', () => {
  it('is what it says itself, whatever its resources say', () => {
    const given = { ...on('a'), adaptive: { signals: 7 } };
    expect(withResources(given, resources({ a: { signals: 1 } }))).toBe(given);
    expect(withResources({ ...given, adaptive: false }, resources({ a: {} })).adaptive).toBe(false);
  });

  it('is the default where neither it nor a resource says anything', () => {
    expect(withResources(plain, resources({ a: { signals: 1 } }))).toBe(plain);
    const missing = on('a', 'gone');
    expect(withResources(missing, resources({ a: undefined }))).toBe(missing);
  });

  it('is what its resource says, with the defaults for the rest', () => {
    const { aimd } = laneRules(withResources(on('a'), resources({ a: { signals: 1, percent: 5 } })));
    expect(aimd).toEqual({ start: 10, count: 1, rate: 0.05, windowMs: 10_000, decrease: 0.9 });
  });

  it('is of several what slows first, where one that says nothing has the defaults', () => {
    const said = resources({
      a: { start: 20, signals: 5, percent: 10, windowSeconds: 60 },
      b: { decrease: 0.5, percent: 4 },
      c: undefined,
    });
    expect(withResources(on('a', 'b'), said).adaptive).toEqual({
      start: 10,
      signals: 3,
      percent: 4,
      windowSeconds: 60,
      decrease: 0.5,
      startDelaySeconds: 10,
    });
    expect(withResources(on('a', 'c'), said).adaptive).toMatchObject({ start: 10, signals: 3, percent: 2, windowSeconds: 60 });
  });

  it('is nothing where none of its resources ever throttles, and the others’ where one does not', () => {
    expect(withResources(on('a'), resources({ a: false })).adaptive).toBe(false);
    expect(withResources(on('a', 'b'), resources({ a: false, b: { signals: 9 } })).adaptive).toMatchObject({ signals: 9 });
    expect(withResources(on('a', 'b'), resources({ a: false, b: undefined })).adaptive).toMatchObject({ signals: 3 });
  });
});
