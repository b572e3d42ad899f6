import { CAPPED, DIVIDED_TYPES, DOWNSTREAM } from './capacities.ts';
import type { Stream } from './choices.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { submit, SUBMITTING_MS, TENANTS } from './workload.ts';

const CALLS = 10;

/** Tasks of the types with a capacity. */
export async function startDivision(sim: Simulation): Promise<void> {
  if (!sim.profile.divides) return;
  strike(sim, 'divides');
  const { services, kernel, root } = sim;
  await services.types.putResource({ v: 1, resource: DOWNSTREAM.name, concurrency: DOWNSTREAM.concurrency });
  const { tenant, cap } = CAPPED;
  await services.quotas.put(tenant, { v: 1, tenant, quota: { cap }, updatedAt: kernel.now() });
  for (let n = 0; n < CALLS; n++) {
    const stream = root.fork('divided', n);
    kernel.after(stream.choose(SUBMITTING_MS / 1000, 'at') * 1000, () => {
      submit(sim, stream, oneOf(stream, 'tenant', [...TENANTS, tenant]), batchOf(stream, n));
    });
  }
}

function batchOf(stream: Stream, n: number): Record<string, unknown>[] {
  const { type } = DIVIDED_TYPES[stream.choose(DIVIDED_TYPES.length, 'type')] ?? { type: '' };
  return Array.from({ length: 1 + stream.choose(5, 'tasks') }, (_, i) => ({ type, id: `${type}-${n}-${i}`, payload: {} }));
}
