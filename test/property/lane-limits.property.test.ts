import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryClock, createMemoryPermitStore, createMemoryRandom, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { AIMD_DEFAULTS, initial } from '../../core/limits/aimd.ts';
import type { LaneRules } from '../../core/limits/lane-rules.ts';
import { acquirePermits } from '../../core/permits/acquire.ts';
import { cellLimit, cellLimits } from '../../core/permits/cells.ts';
import { createLaneViews } from '../../core/permits/views.ts';
import type { Permit } from '../../core/ports/permit-store.ts';
import { T0 } from '../helpers/samples.ts';

const LANE = { tenant: 'a', type: 'echo' };
const BURST = 25;

const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const), who: fc.nat(3), want: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('give' as const), cell: fc.nat(3), some: fc.integer({ min: 1, max: 20 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('limit' as const),
      cell: fc.nat(3),
      limit: fc.integer({ min: 1, max: 40 }),
      cells: fc.option(fc.integer({ min: 1, max: 4 })),
    }),
  },
);

const plan = fc.record({
  concurrency: fc.integer({ min: 1, max: 150 }),
  adaptive: fc.boolean(),
  rated: fc.boolean(),
  seed: fc.integer(),
  /** What goes on at the same time, turn by turn. */
  turns: fc.array(fc.array(act, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 }),
});

it('whatever becomes of its limit and its cells, a lane holds no more than its concurrency, and its rates pass no more than they may', async () => {
  let [granted, held] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { concurrency, adaptive, rated, seed, turns }) => {
      const clock = createMemoryClock(T0);
      const random = createMemoryRandom(seed);
      const store = createMemoryPermitStore();
      const rules: LaneRules = {
        concurrency,
        ...(adaptive && { aimd: AIMD_DEFAULTS }),
        ...(rated && { rates: [{ limit: BURST, perSeconds: 60 }] }),
      };
      const late =
        <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
        (...args: A) =>
          scheduler.schedule(Promise.resolve(), name).then(() => call(...args));
      const permits = {
        ...store,
        acquire: late('acquire', store.acquire),
        spend: late('spend', store.spend),
        release: late('release', store.release),
      };
      // Environments that have heard of different things.
      const views = Array.from({ length: 4 }, () => createLaneViews(clock));
      const shares = cellLimits(concurrency);
      let taken = 0;
      const cells = () => Promise.all(shares.map((_, cell) => store.read(LANE, cell)));
      for (const turn of turns) {
        const works = turn.map(async (each) => {
          if (each.do === 'take') {
            const wanted = Array.from({ length: each.want }, (): Permit => ({ expiry: T0 + 60_000, nonce: random.nonce() }));
            const own = views[each.who];
            const deps = { permits, clock, random, telemetry: createMemoryTelemetry(), ...(own && { views: own }) };
            const got = await acquirePermits(deps, LANE, rules, wanted);
            const now = await cells();
            for (const [i, cell] of got.entries()) {
              const mine = now.flatMap((c, index) => (c.permits.some(({ nonce }) => nonce === wanted[i]?.nonce) ? [index] : []));
              expect(mine).toEqual(typeof cell === 'number' ? [cell] : []);
              if (typeof cell === 'object') held += 1;
            }
            const number = got.filter((cell) => typeof cell === 'number').length;
            taken += number;
            granted += number;
            return;
          }
          const cell = each.cell % shares.length;
          const seen = await store.read(LANE, cell);
          if (each.do === 'give') await store.release(LANE, cell, seen.permits.slice(0, each.some));
          else
            await store.adapt(
              LANE,
              cell,
              { ...initial(AIMD_DEFAULTS, 40), limit: each.limit, round: random.fraction() },
              seen,
              each.cells ?? undefined,
            );
        });
        await scheduler.waitFor(Promise.all(works));
        const now = await cells();
        now.forEach((cell, i) => expect(cell.permits.length).toBeLessThanOrEqual(shares[i] ?? 0));
        if (rated) expect(taken).toBeLessThanOrEqual(BURST);
        // What it has room for it may have: a lane is not full before one of its cells is.
        const [first] = now;
        if (!rated && first && first.permits.length < cellLimit(rules, 0, first) && !adaptive) {
          const deps = { permits: store, clock, random, telemetry: createMemoryTelemetry() };
          expect(await acquirePermits(deps, LANE, rules, [{ expiry: T0 + 60_000, nonce: random.nonce() }])).not.toContain(undefined);
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(granted).toBeGreaterThan(1_000);
  expect(held).toBeGreaterThan(100);
});
