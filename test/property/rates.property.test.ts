import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryClock, createMemoryRandom } from '../../adapters/memory/index.ts';
import { divideCapacities, type DivideDeps } from '../../core/control/divide-capacities.ts';
import { laneRules } from '../../core/limits/lane-rules.ts';
import { laneKey } from '../../core/permits/lane-key.ts';
import { acquireOrEnter } from '../../core/permits/entry.ts';
import type { Lane, Permit } from '../../core/ports/permit-store.ts';
import { createServices } from '../../sim/services.ts';
import { typeSpec } from '../../sim/type-spec.ts';
import { createHeldRounds } from '../helpers/held-rounds.ts';
import { ReferenceBucket } from '../../sim/checks/reference-bucket.ts';

const spec = (type: string, given: Partial<TaskTypeSpec>): TaskTypeSpec => ({
  ...typeSpec(type),
  concurrency: 100,
  adaptive: false,
  ...given,
});
const TYPES = [
  spec('charge', { resources: ['stripe'] }),
  spec('refund', { resources: ['stripe', 'bank'], rates: [{ limit: 7, perSeconds: 2 }] }),
  spec('payout', { resources: ['bank'] }),
];
const RESOURCES: readonly ResourceSpec[] = [
  {
    v: 1,
    resource: 'stripe',
    concurrency: 1_000_000,
    rates: [
      { limit: 19, perSeconds: 2 },
      { limit: 60, perSeconds: 10 },
    ],
  },
  { v: 1, resource: 'bank', concurrency: 90, rates: [{ limit: 41, perSeconds: 10 }] },
];
const TENANTS = ['a', 'b', 'c', 'd'];
const LANES: readonly Lane[] = TENANTS.flatMap((tenant) => TYPES.map(({ type }) => ({ tenant, type })));

async function platform() {
  const clock = createMemoryClock();
  const random = createMemoryRandom(7);
  const made = createServices({ clock, random, types: TYPES });
  const waiting = new Map<string, number>();
  const measure = async (lane: Lane, most: number) => {
    const count = waiting.get(laneKey(lane)) ?? 0;
    return { count: Math.min(count, most), more: count > most, oldestAt: undefined };
  };
  const services = { ...made, backlog: { ...made.backlog, measure } };
  for (const resource of RESOURCES) await services.types.putResource(resource);
  const buckets = RESOURCES.flatMap(({ resource, rates = [] }) =>
    rates.map((rate) => ({ resource, rate, bucket: new ReferenceBucket(rate, clock.now()) })),
  );
  const divide = (lanes: readonly Lane[] = LANES, deps: DivideDeps = services) => {
    const told = lanes.map((lane) => ({ v: 1, kind: 'divide', made: 0, ...lane }) as const);
    return divideCapacities(deps, { now: clock.now(), deadline: clock.now() + 110_000, minute: true, told });
  };
  let starts = 0;
  /** As dispatch does it, and what all of it is held against. */
  const start = async (lane: Lane, wanted: number): Promise<number> => {
    const own = TYPES.find(({ type }) => type === lane.type);
    if (!own) throw new Error(lane.type);
    const permits = Array.from({ length: wanted }, (): Permit => ({ expiry: clock.now() + 1_000, nonce: random.nonce() }));
    const { cells } = await acquireOrEnter(services, lane, laneRules(own), permits);
    const n = cells.filter((cell) => typeof cell === 'number').length;
    starts += n;
    for (const { resource, rate, bucket } of buckets) {
      if (own.resources?.includes(resource))
        expect(bucket.take(n, clock.now()), `${resource} in ${rate.perSeconds} s`).toBeGreaterThanOrEqual(0);
    }
    waiting.set(laneKey(lane), wanted - n);
    // Who puts something into the backlog sees how the lane is then.
    if (n < wanted) services.views.see(lane, 0, await services.permits.raise(lane, 0));
    return n;
  };
  /** What all lanes have of each rate, as their cells say it and as it is noted: at no time more than there is. */
  const checkGrants = async (): Promise<void> => {
    const noted = new Map((await services.divisions.rateGrants()).map((grant) => [laneKey(grant), grant.rates]));
    const cells = await Promise.all(LANES.map((lane) => services.permits.read(lane, 0)));
    for (const { resource, rates = [] } of RESOURCES) {
      for (const { limit, perSeconds } of rates) {
        const given = LANES.flatMap((lane, i) => {
          if (!TYPES.find(({ type }) => type === lane.type)?.resources?.includes(resource)) return [];
          const inCell = cells[i]?.rateShare?.windows.find((window) => window.perSeconds === perSeconds)?.limit ?? 0;
          const inNote = noted.get(laneKey(lane))?.find((rate) => rate.perSeconds === perSeconds)?.limit ?? 0;
          expect(inCell).toBeLessThanOrEqual(inNote);
          return [inNote];
        });
        expect(given.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(limit);
      }
    }
  };
  return { services, clock, random, divide, start, checkGrants, waiting, starts: () => starts };
}

/** Rounds of control whose calls are applied, lost or left in any order, while lanes start what they may. */
async function play(choices: readonly number[]) {
  const world = await platform();
  const { services, clock, start, waiting } = world;
  await world.divide();
  const rounds = createHeldRounds(services, ['permits', 'divisions']);
  for (let n = 0; n + 2 < choices.length; n += 3) {
    const [what = 0, which = 0, how = 0] = choices.slice(n, n + 3);
    const late = rounds.late();
    if (late) await rounds.finish(late, how % 10);
    else if (what < 2 && rounds.alive() < 3)
      rounds.begin((deps) =>
        world.divide(
          LANES.filter((_, i) => which & (1 << (i % 10))),
          deps,
        ),
      );
    else if (what < 12) {
      for (const call of rounds.pending.slice(0, 1 + (which % 25))) await rounds.finish(call, how < 985 ? 0 : how % 10);
    } else if (what < 13 && how < 500) rounds.kill(which);
    else if (what < 17) {
      // All that they may, so that what is too much is seen.
      for (const [i, lane] of LANES.entries()) if (which & (1 << (i % 10))) await start(lane, 1 + (how % 40));
    } else if (what < 18) waiting.clear();
    else clock.advance(how > 985 ? 130_000 : 2 * how);
    await world.checkGrants();
  }
  // What is left over is lost, and the world goes on without faults.
  for (const call of [...rounds.pending]) await rounds.finish(call, 9);
  return world;
}

describe('rates of resources, divided by rounds of control that overlap and die anywhere', () => {
  const choices = fc
    .noBias(fc.array(fc.nat({ max: 999 }), { minLength: 600, maxLength: 1_200 }))
    .map((all) => all.map((n, i) => (i % 3 === 0 ? n % 20 : n)));

  it('let all lanes together start no more than one bucket of the whole rate would', async () => {
    let starts = 0;
    await fc.assert(
      fc.asyncProperty(choices, async (given) => {
        starts += (await play(given)).starts();
      }),
      { numRuns: 40, endOnFailure: true },
    );
    expect(starts).toBeGreaterThan(1_000);
  });

  it('are whole again after that: one lane that wants more than there is has all of it after two rounds', async () => {
    await fc.assert(
      fc.asyncProperty(choices, fc.constantFrom(...TENANTS), async (given, tenant) => {
        const { services, clock, divide, start, waiting, checkGrants } = await play(given);
        waiting.clear();
        // Others come to rest, and what they held runs out.
        clock.advance(120_000);
        for (const lane of LANES) {
          const { raised } = await services.permits.read(lane, 0);
          await services.permits.clear(lane, 0, raised);
        }
        for (let n = 0; n < 5; n++) {
          await divide([]);
          clock.advance(61_000);
        }
        const lane = { tenant, type: 'charge' };
        expect(await start(lane, 1_000)).toBe(0);
        for (let n = 0; n < 2; n++) await divide([lane]);
        await checkGrants();
        const { rateShare } = await services.permits.read(lane, 0);
        expect(rateShare?.windows.map(({ perSeconds, limit }) => [perSeconds, limit])).toEqual([
          [2, 19],
          [10, 60],
        ]);
        // What rested meanwhile starts at once, as far as the shorter window lets it.
        expect(await start(lane, 1_000)).toBe(19);
      }),
      { numRuns: 20, endOnFailure: true },
    );
  });
});
