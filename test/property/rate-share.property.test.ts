import type { RateRest } from '@sluice/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RateRests } from '../../core/control/rates/rests.ts';
import type { ResourceRate } from '../../core/control/rates/windows.ts';
import { claimRates, intervalOf, stepped, US } from '../../core/limits/gcra.ts';
import { regrant, tokensOf, type RateWindow } from '../../core/limits/rate-share.ts';
import { ReferenceBucket } from '../../sim/checks/reference-bucket.ts';
import { T0 } from '../helpers/samples.ts';

const LANES = 4;
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('start' as const), lane: fc.nat(LANES - 1), wanted: fc.integer({ min: 1, max: 300 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('move' as const), lane: fc.nat(LANES - 1), percent: fc.nat(100) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), percent: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), percent: fc.nat(300) }) },
);

it('a rate whose parts are moved about between lanes lets pass what one bucket of it would, and loses nothing by that', () => {
  let [starts, moves] = [0, 0];
  fc.assert(
    fc.property(
      fc.noBias(fc.record({ limit: fc.integer({ min: 1, max: 200 }), perSeconds: fc.constantFrom(1, 7, 60, 3_600) })),
      fc.noBias(fc.array(act, { minLength: 100, maxLength: 200 })),
      ({ limit, perSeconds }, acts) => {
        const rate: ResourceRate = { resource: 'r', perSeconds, capacity: limit };
        const bucket = new ReferenceBucket({ limit, perSeconds }, T0);
        const lanes: RateWindow[] = Array.from({ length: LANES }, () => ({ limit: 0, perSeconds, tat: 0 }));
        let stored: readonly RateRest[] = [];
        let now = T0;
        const free = (): number => limit - lanes.reduce((sum, lane) => sum + lane.limit, 0);
        const left = (): number => lanes.reduce((sum, lane) => sum + tokensOf(lane, now), stored[0]?.windows[0]?.tokens ?? limit);
        for (const each of acts) {
          if (each.do === 'wait') {
            now += Math.floor(each.percent * perSeconds * 10);
            continue;
          }
          const lane = lanes[each.lane];
          if (!lane) throw new Error('no lane');
          if (each.do === 'start') {
            const { allowed, steps } = claimRates([], [], each.wanted, now, [lane]);
            for (const step of steps) lanes[each.lane] = { ...lane, tat: stepped(lane.tat, step) ?? Number.NaN };
            expect(bucket.take(allowed, now)).toBeGreaterThanOrEqual(0);
            starts += allowed;
            continue;
          }
          const to = Math.floor((each.percent / 100) * (lane.limit + free()));
          const rest = new RateRests(stored, [rate], free, now);
          // As a round writes it that moves nothing.
          stored =
            rest.changed().length > 0
              ? rest.changed()
              : stored.map((of) => ({ ...of, at: now, windows: of.windows.map((window) => ({ ...window, tokens: rest.left(rate) })) }));
          const before = left();
          const given = to > lane.limit ? rest.take([rate], to - lane.limit) : 0;
          const { window, freed } = regrant(lane, to, given, now);
          if (to < lane.limit) rest.giveBack(rate, lane.limit - to, freed);
          lanes[each.lane] = window;
          if (rest.changed().length > 0) stored = rest.changed();
          expect(left()).toBeLessThanOrEqual(before + 1e-6);
          // Of a start, what a µs of each of the lane's starts brings.
          expect(left()).toBeGreaterThanOrEqual(
            before - 1e-5 - (2 * Math.max(lane.limit, to)) / intervalOf({ limit: Math.max(1, to, lane.limit), perSeconds }),
          );
          moves += 1;
        }
        expect(now * US).toBeLessThan(Number.MAX_SAFE_INTEGER);
      },
    ),
    { numRuns: 300 },
  );
  expect(starts).toBeGreaterThan(10_000);
  expect(moves).toBeGreaterThan(5_000);
});
