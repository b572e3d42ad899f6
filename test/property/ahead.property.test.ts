import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createMemoryClock, createMemoryPermitStore, createMemoryRandom, createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { createAhead } from '../../core/dispatch/ahead.ts';
import { acquirePermits } from '../../core/permits/acquire.ts';
import { aheadOf } from '../../core/permits/ahead.ts';
import { cellLimits, PERMITS_PER_CELL } from '../../core/permits/cells.ts';
import { createLaneViews } from '../../core/permits/views.ts';
import type { Permit, PermitStore } from '../../core/ports/permit-store.ts';
import { T0 } from '../helpers/samples.ts';

const LANE = { tenant: 'a', type: 'echo' };
const telemetry = createMemoryTelemetry();
const asker = { priority: 'normal', fresh: false } as const;

const ends = fc.constantFrom('well', 'well', 'well', 'throttled', 'unknown', 'claim lost');
const dispatcher = fc.record({
  /** Whether it claims ahead; one that does not has a permit for each attempt. */
  ahead: fc.boolean(),
  /** What each of its rounds asks for at most, and how those attempts end. */
  rounds: fc.array(fc.record({ want: fc.integer({ min: 1, max: 6 }), ends: fc.array(ends, { minLength: 1, maxLength: 6 }) }), {
    minLength: 1,
    maxLength: 8,
  }),
});
const plan = fc.record({
  limit: fc.oneof(fc.integer({ min: 4, max: 12 }), fc.integer({ min: 41, max: 50 })),
  seed: fc.integer(),
  dispatchers: fc.array(dispatcher, { minLength: 1, maxLength: 4 }),
});

it('no more attempts run than the limit, whoever claims ahead and in whatever order attempts end', async () => {
  let waited = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), plan, async (scheduler, { limit, seed, dispatchers }) => {
      const clock = createMemoryClock(T0);
      const random = createMemoryRandom(seed);
      const store = createMemoryPermitStore();
      const rules = { concurrency: limit };
      const limits = cellLimits(limit);
      const running = limits.map(() => 0);
      const slow = <T>(what: string, call: () => Promise<T>): Promise<T> =>
        scheduler.schedule(Promise.resolve(), what).then(async () => {
          const answer = await call();
          // An answer takes its time, too, and may be overtaken by others.
          await scheduler.schedule(Promise.resolve(), `answer of ${what}`);
          return answer;
        });
      const permits: PermitStore = {
        ...store,
        acquire: (...args) => slow('acquire', () => store.acquire(...args)),
        release: (...args) => slow('release', () => store.release(...args)),
        read: (...args) => slow('read', () => store.read(...args)),
      };

      const work = dispatchers.map(async ({ ahead: goesAhead, rounds }) => {
        const ahead = createAhead({ clock, views: createLaneViews(clock) }, LANE, rules, () => true);
        const all: Promise<void>[] = [];
        for (const round of rounds) {
          const cells = await Promise.all(limits.map((_, cell) => permits.read(LANE, cell)));
          cells.forEach((cell, index) => ahead.views.see(LANE, index, cell));
          const most = goesAhead ? cells.map((cell, index) => ahead.most(index, cell)) : [];
          const beyond = goesAhead && most.every((each) => each !== undefined);
          const wanted = Array.from({ length: round.want }, (): Permit => ({ expiry: T0 + 60_000, nonce: random.nonce() }));
          const taken = await acquirePermits({ permits, clock, random, telemetry, views: ahead.views }, LANE, rules, wanted, {
            askers: wanted.map(() => asker),
            ...(beyond && { ahead: (cell) => most[cell] ?? 0 }),
          });
          const got = wanted.flatMap((permit, i) =>
            typeof taken[i] === 'number' ? [{ permit, cell: taken[i], asker, ahead: beyond }] : [],
          );
          const turns = ahead.took(got);
          got.forEach(({ permit, cell }, i) => {
            const turn = turns[i];
            const end = round.ends[i % round.ends.length];
            const attempt = async (): Promise<void> => {
              await scheduler.schedule(Promise.resolve(), 'claim');
              if (end === 'claim lost') turn?.passOn();
              const came = end === 'claim lost' ? 'never' : await turn?.comes();
              if (came === 'late') waited += 1;
              if (came !== 'never') {
                running[cell] = (running[cell] ?? 0) + 1;
                expect(running[cell]).toBeLessThanOrEqual(limits[cell] ?? 0);
                await scheduler.schedule(Promise.resolve(), 'run');
                // It runs on, or may.
                if (end === 'unknown') return turn?.done();
                running[cell] -= 1;
                if (end === 'throttled') turn?.rest();
                else turn?.passOn();
              } else turn?.passOn();
              ahead.views.see(LANE, cell, await permits.release(LANE, cell, [permit]));
              turn?.done();
            };
            all.push(attempt());
          });
          for (const [index, each] of limits.entries()) {
            const { permits: held } = await store.read(LANE, index);
            expect(held.length).toBeLessThanOrEqual(Math.min(each + aheadOf(each), PERMITS_PER_CELL));
          }
        }
        await Promise.all(all);
      });
      await scheduler.waitFor(Promise.all(work));
      // Nothing is left of what ended or was let go.
      const held = await Promise.all(limits.map((_, cell) => store.read(LANE, cell)));
      expect(held.map(({ permits: { length } }) => length)).toEqual(running);
    }),
    { numRuns: 400 },
  );
  expect(waited).toBeGreaterThan(0);
});
