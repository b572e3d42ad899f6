import { describe, expect, it } from 'vitest';
import { heal } from '../../sim/heal.ts';
import { HEALING } from '../../sim/heal/scenarios.ts';

describe('the time to heal', () => {
  it.each(['schedules', 'redrives', 'attempt', 'starts', 'system'] as const)(
    'is measured of %s: each task is done after every crash',
    async (name) => {
      const { [name]: healed } = await heal([name]);
      expect(healed).toMatchObject({ crashes: expect.any(Number), p50: expect.any(Number), max: expect.any(Number) });
      if (!healed || 'leftOut' in healed) throw new Error(`${name} is left out`);
      expect(healed.crashes).toBeGreaterThan(10);
      expect(healed.max).toBeGreaterThanOrEqual(healed.p50);
      expect(healed.max).toBeLessThan(300);
    },
    60_000,
  );

  it('is later for tasks whose attempts were asked to make room in vain', async () => {
    const { attempt } = await heal(['attempt']);
    expect(attempt).toMatchObject({ p50: expect.closeTo(5, 0) });
  });

  it('says why a function is left out', async () => {
    expect(await heal(['list'])).toEqual({ list: { leftOut: expect.stringMatching(/\w+ .*/) } });
  });

  it('is not said of a function that its scenario does not call', async () => {
    await expect(heal(['routing'], { ...HEALING, routing: HEALING.attempt })).rejects.toThrow('routing makes no call in its scenario');
  });
});
