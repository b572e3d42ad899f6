import type { ControlMessage } from '@sluice/contracts';
import { divideCapacities } from '../core/control/divide-capacities.ts';
import { CAPPED, DIVIDED_TYPES, DOWNSTREAM } from './capacities.ts';
import type { Stream } from './choices.ts';
import { TIMEOUT_SECONDS } from './functions.ts';
import { invoke } from './invocation.ts';
import { everyMinute } from './minutes.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { submit, SUBMITTING_MS, TENANTS } from './workload.ts';

/** ms after which control hears of what it was told. */
const POLL_MS = 5_000;
/** What control needs for its answer, ms, as its handler has it. */
const MARGIN_MS = 10_000;
/** ms after which what a round that failed was told comes again. */
const AGAIN_MS = 30_000;
const CALLS = 10;

/** Tasks of the types with a capacity, and control, which divides it: each minute and for what it is told. */
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
  everyMinute(sim, 'control', (stream, about) => round(sim, stream, about, []));
  whenTold(sim);
}

function batchOf(stream: Stream, n: number): Record<string, unknown>[] {
  const { type } = DIVIDED_TYPES[stream.choose(DIVIDED_TYPES.length, 'type')] ?? { type: '' };
  return Array.from({ length: 1 + stream.choose(5, 'tasks') }, (_, i) => ({ type, id: `${type}-${n}-${i}`, payload: {} }));
}

function whenTold(sim: Simulation, turn = 0): void {
  sim.kernel.after(POLL_MS, () => {
    const told = sim.services.control.take();
    if (told.length > 0) round(sim, sim.root.fork('told', turn), `told of ${told.length}`, told);
    whenTold(sim, turn + 1);
  });
}

function round(sim: Simulation, stream: Stream, about: string, told: readonly ControlMessage[]): void {
  invoke(sim, {
    name: 'control',
    stream,
    about,
    run: (ports) => {
      const types = { ...ports.types, resources: () => sim.services.types.resources() };
      const now = ports.clock.now();
      const deadline = now + TIMEOUT_SECONDS.control * 1000 - MARGIN_MS;
      return divideCapacities({ ...ports, types }, { now, deadline, minute: told.length === 0, told });
    },
    // Its queue keeps what it was told.
    failed: () => sim.kernel.after(AGAIN_MS, () => told.forEach((message) => void sim.services.control.tell(message))),
  });
}
