import { zipf } from './engine/chance.ts';
import { runWay } from './run.ts';
import { sluice } from './set/ways.ts';

/** How quick the simulation is, and what a million live tasks take: of real time and memory, so that no page has it. */
export function measureScale(seed: number) {
  const tenants = 10_000;
  const sizes = zipf(tenants, 1);
  const began = performance.now();
  const ran = runWay(
    'Sluice',
    {
      seed,
      metrics: { groups: 1, tenants, tenantGroup: () => 0 },
      target: { capacity: () => 10_000, beyond: 'wait' },
      sources: [
        { name: 'all', perSecond: () => 20_000, most: 20_000, tenant: sizes.draw, workMs: (chance) => chance.logNormal(1_000, 0.5) },
      ],
      seconds: 120,
      sampleSeconds: 10,
    },
    sluice({ concurrency: 10 }),
    () => ({}),
  );
  const seconds = (performance.now() - began) / 1_000;
  const { submitted, succeeded } = ran.metrics.groups[0]!;
  const rssMiB = Math.round(process.memoryUsage().rss / 2 ** 20);
  return {
    tasks: submitted,
    succeeded,
    mostLive: ran.world.tasks.mostLive,
    seconds,
    tasksPerSecond: Math.round(submitted / seconds),
    rssMiB,
  };
}
