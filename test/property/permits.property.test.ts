import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryClock, createMemoryPermitStore, createMemoryRandom, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { acquirePermits } from '../../core/permits/acquire.ts';
import { cellLimits } from '../../core/permits/cells.ts';
import type { Permit, PermitStore } from '../../core/ports/permit-store.ts';
import { T0 } from '../helpers/samples.ts';

const LANE = { tenant: 'a', type: 'echo' };
const telemetry = createMemoryTelemetry();

const plan = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 48, max: 105 })),
  seed: fc.integer(),
  /** Permits that are in the lane when the race begins, and whether their leases are over. */
  before: fc.array(fc.boolean(), { maxLength: 5 }),
  workers: fc.array(fc.record({ want: fc.integer({ min: 1, max: 8 }), releases: fc.boolean(), repeats: fc.boolean() }), {
    minLength: 2,
    maxLength: 6,
  }),
});

it('a lane never holds more live permits than its limit, nor one twice, in any order of acquiring and releasing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { limit, seed, before, workers }) => {
      const clock = createMemoryClock(T0);
      const random = createMemoryRandom(seed);
      const store = createMemoryPermitStore();
      const limits = cellLimits(limit);
      const permit = (expiry = T0 + 60_000): Permit => ({ expiry, nonce: random.nonce() });
      const held = async (): Promise<Permit[]> => {
        const cells = await Promise.all(limits.map((_, cell) => store.read(LANE, cell)));
        cells.forEach((cell, i) => expect(cell.permits.length).toBeLessThanOrEqual(limits[i] ?? 0));
        return cells.flatMap((cell) => cell.permits);
      };
      for (const expired of before.slice(0, limits[0])) await store.acquire(LANE, 0, [permit(expired ? T0 : T0 + 1)], limits[0] ?? 0);

      const permits: PermitStore = {
        ...store,
        acquire: (...args) => scheduler.schedule(Promise.resolve(), 'acquire').then(() => store.acquire(...args)),
        release: (...args) => scheduler.schedule(Promise.resolve(), 'release').then(() => store.release(...args)),
      };
      const work = workers.map(async ({ want, releases, repeats }) => {
        const wanted = Array.from({ length: want }, () => permit());
        const cells = await acquirePermits({ permits, clock, random, telemetry }, LANE, { concurrency: limit }, wanted);
        const now = await held();
        // What it was told it has, it has, in that cell alone.
        expect(cells.length).toBe(want);
        for (const [i, cell] of cells.entries()) {
          expect(now.filter((p) => p.nonce === wanted[i]?.nonce)).toHaveLength(cell === undefined ? 0 : 1);
        }
        // The first ones first: no later task overtakes within one call.
        expect(cells.indexOf(undefined) === -1 || cells.slice(cells.indexOf(undefined)).every((c) => c === undefined)).toBe(true);
        for (const [i, cell] of cells.entries()) {
          const own = wanted[i];
          if (own === undefined || typeof cell !== 'number') continue;
          if (repeats) expect((await permits.acquire(LANE, cell, [own], limits[cell] ?? 0)).granted).toBe(true);
          if (releases) await permits.release(LANE, cell, [own]);
        }
        await held();
      });
      await scheduler.waitFor(Promise.all(work));
      await held();
    }),
    { numRuns: 300 },
  );
});

it('a lane with room for all that is wanted refuses nobody', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 200 }), fc.integer(), async (limit, seed) => {
      const deps = { permits: createMemoryPermitStore(), clock: createMemoryClock(T0), random: createMemoryRandom(seed), telemetry };
      const wanted = Array.from({ length: limit + 1 }, (_, i): Permit => ({ expiry: T0 + 1, nonce: `${i}` }));
      const cells = await acquirePermits(deps, LANE, { concurrency: limit }, wanted);
      expect(cells.filter((cell) => cell === undefined)).toHaveLength(1);
    }),
    { numRuns: 50 },
  );
});
