import type { TaskTypeSpec } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryClock, createMemoryRandom } from '../../adapters/memory/index.ts';
import { divideCapacities } from '../../core/control/divide-capacities.ts';
import { laneRules } from '../../core/limits/lane-rules.ts';
import { acquireOrEnter, homeOf } from '../../core/permits/entry.ts';
import type { Lane, Permit } from '../../core/ports/permit-store.ts';
import { createServices } from '../../sim/services.ts';
import { typeSpec } from '../../sim/type-spec.ts';
import { createHeldRounds } from '../helpers/held-rounds.ts';

const spec = (type: string, given: Partial<TaskTypeSpec>): TaskTypeSpec => ({
  ...typeSpec(type),
  concurrency: 60,
  adaptive: false,
  ...given,
});
const TYPES = [
  spec('mail', { capacity: 50 }),
  spec('charge', { capacity: 12, resources: ['stripe'] }),
  spec('refund', { resources: ['stripe'] }),
  spec('free', {}),
];
const TENANTS = ['a', 'b', 'c', 'capped'];
const LANES: readonly Lane[] = TENANTS.flatMap((tenant) => TYPES.map(({ type }) => ({ tenant, type })));

/** Rounds of control whose calls are applied, lost or left in any order, while lanes take permits and give them back. */
async function play(choices: readonly number[]) {
  const clock = createMemoryClock();
  const random = createMemoryRandom(7);
  const made = createServices({ clock, random, types: TYPES });
  /** What waits in each lane. */
  const waiting = new Map<string, number>();
  const measure = async ({ tenant, type }: Lane) => ({ count: waiting.get(`${tenant}#${type}`) ?? 0, more: false, oldestAt: undefined });
  const services = { ...made, backlog: { ...made.backlog, measure } };
  await services.types.putResource({ v: 1, resource: 'stripe', concurrency: 9 });
  await services.quotas.put('capped', { v: 1, tenant: 'capped', quota: { cap: 5 }, updatedAt: 0 });
  await services.quotas.put('b', { v: 1, tenant: 'b', quota: { guaranteed: 6, weight: 3 }, updatedAt: 0 });
  await divideCapacities(services, { now: clock.now(), deadline: clock.now() + 110_000, minute: true, told: [] });

  const rounds = createHeldRounds(services, ['permits', 'divisions', 'backlog', 'quotas']);
  const begin = (): void => {
    const told = LANES.map((lane) => ({ v: 1, kind: 'divide', made: 0, ...lane }) as const);
    rounds.begin((deps) => divideCapacities(deps, { now: clock.now(), deadline: clock.now() + 110_000, minute: true, told }));
  };
  const held: { lane: Lane; home: Lane; cell: number; permit: Permit }[] = [];
  const start = async (lane: Lane, n: number): Promise<void> => {
    const own = TYPES.find(({ type }) => type === lane.type);
    if (!own) return;
    const permits = Array.from({ length: n }, (): Permit => ({ expiry: clock.now() + 3_600_000, nonce: random.nonce() }));
    const { cells, entered, permits: taken } = await acquireOrEnter(services, lane, laneRules(own), permits);
    taken.forEach((permit, i) => {
      const cell = cells[i];
      if (typeof cell === 'number') held.push({ lane, home: homeOf(lane, entered.has(i)), cell, permit });
    });
    const left = cells.filter((cell) => cell === undefined).length;
    waiting.set(`${lane.tenant}#${lane.type}`, left);
    if (left > 0) await services.permits.raise(lane, 0);
  };
  const use = (of: (lane: Lane) => boolean): number => held.filter(({ lane }) => of(lane)).length;
  const check = (): void => {
    expect(use(({ type }) => type === 'mail')).toBeLessThanOrEqual(50);
    expect(use(({ type }) => type === 'charge')).toBeLessThanOrEqual(12);
    expect(use(({ type }) => type === 'charge' || type === 'refund')).toBeLessThanOrEqual(9);
    expect(use(({ tenant }) => tenant === 'capped')).toBeLessThanOrEqual(5);
  };

  for (let n = 0; n + 2 < choices.length; n += 3) {
    const [what = 0, which = 0, how = 0] = choices.slice(n, n + 3);
    const late = rounds.late();
    if (late) await rounds.finish(late, how % 10);
    else if (what < 2 && rounds.alive() < 3) begin();
    else if (what < 11) {
      for (const call of rounds.pending.slice(0, 1 + (which % 25))) await rounds.finish(call, how < 970 ? 0 : how % 10);
    } else if (what < 12) rounds.kill(which);
    else if (what < 15) await start(LANES[which % LANES.length] ?? { tenant: 'a', type: 'mail' }, 1 + (how % 30));
    else if (what < 18) {
      for (const gone of held.splice(which % Math.max(1, held.length), 1 + (how % 20)))
        await services.permits.release(gone.home, gone.cell, [gone.permit]);
    } else clock.advance(8 * how);
    check();
  }
  // What is left over is lost, and the world goes on without faults.
  for (const call of [...rounds.pending]) await rounds.finish(call, 9);
  clock.advance(120_000);
  return { services, clock, held, start, check };
}

describe('rounds of control that overlap and die anywhere', () => {
  const choices = fc
    .array(fc.nat({ max: 999 }), { minLength: 600, maxLength: 1_500 })
    .map((all) => all.map((n, i) => (i % 3 === 0 ? n % 20 : n)));

  it('never let lanes hold more than there is of a capacity, a resource or a cap', async () => {
    await fc.assert(
      fc.asyncProperty(choices, async (given) => {
        await play(given);
      }),
      { numRuns: 60 },
    );
  });

  it('leave nothing behind that a later round does not put right: all that there is is then given to who needs it', async () => {
    await fc.assert(
      fc.asyncProperty(choices, async (given) => {
        const { services, clock, held, start, check } = await play(given);
        for (const { home, cell, permit } of held.splice(0)) await services.permits.release(home, cell, [permit]);
        const wanting: Lane[] = ['a', 'b', 'c'].map((tenant) => ({ tenant, type: 'mail' }));
        const told = wanting.map((lane) => ({ v: 1, kind: 'divide', made: 0, ...lane }) as const);
        for (const lane of wanting) await start(lane, 60);
        for (let n = 0; n < 4; n++) {
          clock.advance(61_000);
          await divideCapacities(services, { now: clock.now(), deadline: clock.now() + 110_000, minute: true, told });
          for (const lane of wanting) await start(lane, 60);
        }
        for (const lane of wanting) for (let n = 0; n < 60; n++) await start(lane, 1);
        check();
        // Of 50 five are kept for newcomers.
        expect(held.length).toBeGreaterThanOrEqual(40);
      }),
      { numRuns: 30 },
    );
  });
});
