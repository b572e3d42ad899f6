import type { Again } from '@sluice/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryClock, createMemoryPermitStore, createMemoryRandom, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { acquirePermits } from '../../core/permits/acquire.ts';
import type { Permit } from '../../core/ports/permit-store.ts';
import { BUDGET_WINDOW_MS } from '../../core/retry/budget.ts';
import { T0 } from '../helpers/samples.ts';

const LANE = { tenant: 'a', type: 'echo' };
const LIMIT = 40;
const RULES = { percent: 20, perMinute: 5 };

interface Start {
  readonly at: number;
  readonly again: Again | undefined;
}

const step = fc.record({
  /** ms before it. */
  after: fc.oneof(fc.nat(3_000), fc.nat(100_000)),
  /** Works of dispatchers that come at the same time, each with its works. */
  crowd: fc.array(fc.array(fc.constantFrom<Again | undefined>(undefined, undefined, 'retry', 'free'), { minLength: 1, maxLength: 12 }), {
    minLength: 1,
    maxLength: 4,
  }),
});

function started(starts: readonly Start[], again: Again | undefined, from: number, to: number): number {
  return starts.filter((start) => start.again === again && start.at > from && start.at <= to).length;
}

it('in any 60 s a lane starts no more retries than its floor, or 20 % of the first attempts of the three windows that end with it', async () => {
  let retries = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 5, maxLength: 60 }), fc.integer(), async (scheduler, steps, seed) => {
      const clock = createMemoryClock(T0);
      const random = createMemoryRandom(seed);
      const store = createMemoryPermitStore();
      const permits: typeof store = {
        ...store,
        acquire: (...args) => scheduler.schedule(Promise.resolve(), 'acquire').then(() => store.acquire(...args)),
        read: (...args) => scheduler.schedule(Promise.resolve(), 'read').then(() => store.read(...args)),
      };
      const deps = { permits, clock, random, telemetry: createMemoryTelemetry() };
      const starts: Start[] = [];
      for (const { after, crowd } of steps) {
        clock.advance(after);
        const work = crowd.map(async (again) => {
          const wanted = again.map((): Permit => ({ expiry: T0 + 1e9, nonce: random.nonce() }));
          const cells = await acquirePermits(deps, LANE, { concurrency: LIMIT }, wanted, { again, budget: RULES });
          const held = wanted.filter((_, i) => typeof cells[i] === 'number');
          for (const [i, each] of again.entries()) {
            if (typeof cells[i] === 'number') starts.push({ at: clock.now(), again: each });
            else if (each === 'retry') refused += 1;
          }
          await store.release(LANE, 0, held);
        });
        await scheduler.waitFor(Promise.all(work));
        const now = clock.now();
        const most = Math.max(RULES.perMinute, 0.2 * started(starts, undefined, now - 3 * BUDGET_WINDOW_MS, now));
        expect(started(starts, 'retry', now - BUDGET_WINDOW_MS, now)).toBeLessThanOrEqual(most);
        retries += started(starts, 'retry', now - 1, now);
      }
      // What was throttled costs nothing, and counts for nothing.
      const { budget } = await store.read(LANE, 0);
      expect(budget?.firsts ?? 0).toBe(starts.filter(({ again }) => again === undefined).length);
      expect(budget?.retries ?? 0).toBe(starts.filter(({ again }) => again === 'retry').length);
    }),
    { numRuns: 150 },
  );
  expect(retries).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(500);
}, 60_000);
