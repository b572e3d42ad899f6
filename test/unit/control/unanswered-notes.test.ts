import type { RateRest } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { createMemoryClock, createMemoryRandom } from '../../../adapters/memory/index.ts';
import { divideCapacities, LEASE_MS } from '../../../core/control/divide-capacities.ts';
import { createServices } from '../../../sim/services.ts';
import { typeSpec } from '../../../sim/type-spec.ts';

const LANE = { tenant: 'acme', type: 'charge' };

async function platform() {
  const clock = createMemoryClock();
  const services = createServices({ clock, random: createMemoryRandom(1), types: [typeSpec('charge', { resources: ['stripe'] })] });
  await services.types.putResource({ v: 1, resource: 'stripe', concurrency: 10, rates: [{ limit: 6, perSeconds: 10 }] });
  const { putRest } = services.divisions;
  const lost: RateRest[] = [];
  let loses = true;
  Object.assign(services.divisions, {
    putRest: async (rest: RateRest) => {
      if (!loses) return putRest(rest);
      lost.push(rest);
      throw new Error('no answer');
    },
  });
  const told = [{ v: 1, kind: 'divide', made: 0, ...LANE }] as const;
  const round = () => divideCapacities(services, { now: clock.now(), deadline: clock.now() + 110_000, minute: false, told });
  const rest = async () => (await services.divisions.rateRests())[0]?.windows[0];
  return { clock, services, round, rest, answers: () => void (loses = false), arrives: async () => putRest(lost[0] as RateRest) };
}

describe('a note whose answer is missing', () => {
  it('keeps others from dividing while it may be written yet, over what they note', async () => {
    const { clock, services, round, rest, answers, arrives } = await platform();
    await expect(round()).rejects.toThrow('no answer');
    answers();
    clock.advance(15_000);
    // Its lease is still there.
    await round();
    expect(await services.divisions.rateGrants()).toEqual([]);
    expect(services.control.take()).toMatchObject([LANE]);
    await arrives();
    clock.advance(LEASE_MS);
    await round();
    // What the lane has is not nobody's as well.
    const [grant] = await services.divisions.rateGrants();
    expect((grant?.rates[0]?.limit ?? 0) + ((await rest())?.free ?? 0)).toBe(6);
    expect(grant?.rates[0]?.limit).toBeGreaterThan(0);
  });

  it('costs others nothing when it was a look that failed', async () => {
    const { services, round, answers } = await platform();
    answers();
    const { grants } = services.divisions;
    Object.assign(services.divisions, { grants: () => Promise.reject(new Error('no answer')) });
    await expect(round()).rejects.toThrow('no answer');
    Object.assign(services.divisions, { grants });
    await round();
    expect(await services.divisions.rateGrants()).toHaveLength(1);
  });
});
