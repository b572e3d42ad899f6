import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSurgeGuard } from '../../../core/admission/surge.ts';
import { T0 } from '../../helpers/samples.ts';

const UNKNOWN = { environments: undefined, merged: undefined };

describe('a tenant that comes all at once', () => {
  it('passes its part of a thousand messages a second in each environment, and hears when the next one may', () => {
    const guard = createSurgeGuard();
    const passed = Array.from({ length: 1_000 }, (_, ms) => guard.take('a', T0 + ms, { tasks: 10, environments: 20, merged: undefined }));
    const admitted = passed.reduce((sum, { admitted: tasks }) => sum + tasks, 0) / 10;
    // A twentieth, and what may come at once.
    expect(admitted).toBeGreaterThanOrEqual(50);
    expect(admitted).toBeLessThanOrEqual(56);
    expect(passed.find(({ admitted: tasks }) => tasks === 0)?.waitMs).toBeLessThanOrEqual(20);
  });

  it('is not in the way of another one', () => {
    const guard = createSurgeGuard();
    for (let n = 0; n < 500; n++) guard.take('a', T0, { tasks: 10, ...UNKNOWN });
    expect(guard.take('a', T0, { tasks: 10, ...UNKNOWN }).admitted).toBe(0);
    expect(guard.take('b', T0, { tasks: 10, ...UNKNOWN }).admitted).toBe(10);
  });

  it('may send a batch of the largest size whole', () => {
    expect(createSurgeGuard().take('a', T0, { tasks: 500, environments: 100, merged: undefined }).admitted).toBe(500);
  });

  it('that is known may send twice what was admitted of it, in any of its environments', () => {
    const guard = createSurgeGuard();
    const merged = { offered: 30_000, refused: 0 };
    const passed = Array.from({ length: 5_000 }, (_, n) => guard.take('a', T0 + n / 2.5, { tasks: 10, environments: 50, merged }));
    expect(passed.every(({ admitted }) => admitted === 10)).toBe(true);
  });

  it('is refused nothing as long as it sends no more than a thousand messages a second, however they are spread', () => {
    const spread = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(spread, fc.integer({ min: 1, max: 10 }), (weights, size) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const guards = weights.map(() => createSurgeGuard());
        const perSecond = weights.map((weight) => Math.floor((900 * weight) / total));
        const merged = { offered: perSecond.reduce((sum, n) => sum + n, 0) * size, refused: 0 };
        // The first second tells what comes where.
        for (const second of [0, 1, 2]) {
          guards.forEach((guard, i) => {
            const n = perSecond[i] ?? 0;
            for (let k = 0; k < n; k++) {
              const { admitted } = guard.take('a', T0 + second * 1000 + (k * 1000) / n, {
                tasks: size,
                environments: guards.length,
                merged,
              });
              if (second > 0) expect(admitted).toBe(size);
            }
            guard.close(1_000);
          });
        }
      }),
      { numRuns: 50 },
    );
  });
});
