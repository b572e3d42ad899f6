import { describe, expect, it } from 'vitest';
import { runModel, type ModelResult } from '../../helpers/admission-model.ts';

function sum(amounts: Iterable<number>): number {
  return [...amounts].reduce((total, amount) => total + amount, 0);
}

/** Of all that were refused, the part of one tenant; and the largest part that another one is refused of its own. */
function blame({ offered, refused }: ModelResult, offender: string) {
  const others = [...offered].filter(([tenant]) => tenant !== offender);
  return {
    offender: (refused.get(offender) ?? 0) / sum(refused.values()),
    others: sum(others.map(([tenant]) => refused.get(tenant) ?? 0)) / sum(others.map(([, tasks]) => tasks)),
    refused: sum(refused.values()),
  };
}

const tenants = Array.from({ length: 2_000 }, (_, n): [string, number] => [`t${n}`, 0.5]);

describe('a pressed platform', () => {
  it('refuses the tenant that floods it, and nobody else', async () => {
    const result = await runModel({
      environments: 20,
      // In calm 1,000 a second come and 2,000 may; one tenant adds 3,000.
      offers: (second) => (second < 30 ? tenants : [...tenants, ['flood', 3_000]]),
      drained: 2_000,
      seconds: 240,
    });

    const { offender, others, refused } = blame(result, 'flood');
    expect(refused).toBeGreaterThan(100_000);
    expect(offender).toBeGreaterThanOrEqual(0.98);
    expect(others).toBeLessThan(0.001);
    // What waits stays near the 30 seconds at which it begins to refuse.
    expect(Math.max(...result.waiting)).toBeLessThan(2 * 30 * 2_000);
    expect(sum(result.admitted.slice(-60)) / 60).toBeGreaterThan(0.9 * 2_000);
  }, 60_000);

  it('refuses three that flood it what each is above the level, the largest most, and big ones below it nothing', async () => {
    const result = await runModel({
      environments: 10,
      offers: () => [...tenants, ['big', 150], ['flood-1', 1_000], ['flood-2', 2_000], ['flood-3', 4_000]],
      drained: 2_500,
      seconds: 180,
      measureFrom: 90,
    });

    const partOf = (tenant: string) => (result.refused.get(tenant) ?? 0) / (result.offered.get(tenant) ?? 1);
    expect(partOf('big')).toBe(0);
    expect(partOf('flood-1')).toBeGreaterThan(0.3);
    expect(partOf('flood-2')).toBeGreaterThan(partOf('flood-1'));
    expect(partOf('flood-3')).toBeGreaterThan(partOf('flood-2'));
    const admitted = ['flood-1', 'flood-2', 'flood-3'].map((tenant) => (1 - partOf(tenant)) * (result.offered.get(tenant) ?? 0));
    expect(Math.max(...admitted) / Math.min(...admitted)).toBeLessThan(1.2);
    const floods = ['flood-1', 'flood-2', 'flood-3'].map((tenant) => result.refused.get(tenant) ?? 0);
    expect(sum(floods) / sum(result.refused.values())).toBeGreaterThanOrEqual(0.98);
  }, 60_000);

  it('refuses nobody while it is calm, and costs next to no call', async () => {
    const result = await runModel({ environments: 20, offers: () => tenants, drained: 2_000, seconds: 120 });

    expect(sum(result.refused.values())).toBe(0);
    const tasks = sum(result.offered.values());
    expect((result.calls.reports + result.calls.told + result.calls.bounds) / tasks).toBeLessThan(0.01);
  }, 60_000);
});

describe('a rate', () => {
  it('holds over all environments, whose calls are spread unevenly, and refuses nobody within theirs', async () => {
    const result = await runModel({
      environments: 8,
      offers: () => [
        ['over', 400],
        ['within', 90],
        ['free', 200],
      ],
      bounds: { over: { rate: 100 }, within: { rate: 100 } },
      drained: 10_000,
      seconds: 180,
      measureFrom: 60,
    });

    expect(result.refused.get('within') ?? 0).toBeLessThan(0.001 * (result.offered.get('within') ?? 0));
    expect(result.refused.get('free') ?? 0).toBe(0);
    const admitted = ((result.offered.get('over') ?? 0) - (result.refused.get('over') ?? 0)) / 120;
    expect(admitted).toBeGreaterThan(90);
    expect(admitted).toBeLessThan(115);
  }, 60_000);

  it('of everybody holds where nothing else is said, for batches too', async () => {
    const result = await runModel({
      environments: 3,
      offers: () => [['a', 50]],
      batch: () => 50,
      commonBounds: { rate: 20, burst: 100 },
      drained: 10_000,
      seconds: 180,
      measureFrom: 60,
    });

    const admitted = ((result.offered.get('a') ?? 0) - (result.refused.get('a') ?? 0)) / 120;
    // Of a batch that comes to a gate every three seconds, what its burst has no room for is lost.
    expect(admitted).toBeGreaterThan(14);
    expect(admitted).toBeLessThan(25);
  });
});
