import type { ResourceSpec } from '@sluice/contracts';
import type { Rate } from '../core/limits/gcra.ts';
import { CAPPED } from './capacities.ts';
import type { Stream } from './choices.ts';
import { RATED_RESOURCES, RATED_TYPES } from './rated-types.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { submit, SUBMITTING_MS, TENANTS } from './workload.ts';

const CALLS = 12;
const TASKS_A_CALL = 6;

/** Tasks of the types whose resources have rates. */
export async function startRated(sim: Simulation): Promise<void> {
  if (!sim.profile.rates) return;
  strike(sim, 'rates');
  for (const spec of RATED_RESOURCES) await deploy(sim, spec);
  const tenants: [string, ...string[]] = sim.profile.divides ? [...TENANTS, CAPPED.tenant] : [...TENANTS];
  for (let n = 0; n < CALLS; n++) {
    const stream = sim.root.fork('rated', n);
    const at = stream.choose(SUBMITTING_MS / 1000, 'at') * 1000;
    sim.kernel.after(at, () => submit(sim, stream, oneOf(stream, 'tenant', tenants), batchOf(stream, n)));
  }
}

function batchOf(stream: Stream, n: number): Record<string, unknown>[] {
  const { type } = RATED_TYPES[stream.choose(RATED_TYPES.length, 'type')] ?? { type: '' };
  return Array.from({ length: 1 + stream.choose(TASKS_A_CALL, 'tasks') }, (_, i) => ({ type, id: `${type}-${n}-${i}`, payload: {} }));
}

/** What may become of the rates of a resource by a deployment. */
const CHANGES: readonly { readonly name: string; readonly of: (rates: readonly Rate[]) => Rate[] | undefined }[] = [
  { name: 'halves the rates of', of: (rates) => rates.map((rate) => ({ ...rate, limit: Math.ceil(rate.limit / 2) })) },
  { name: 'doubles the rates of', of: (rates) => rates.map((rate) => ({ ...rate, limit: 2 * rate.limit })) },
  { name: 'takes away the longest rate of', of: (rates) => (rates.length > 1 ? rates.slice(0, -1) : undefined) },
  { name: 'takes away the rates of', of: () => undefined },
];

/** A deployment, which may change rates or take them away. */
export function redeployRates(sim: Simulation, redeploy: Stream): void {
  if (!sim.profile.rates) return;
  for (const { rates: old = [], ...spec } of RATED_RESOURCES) {
    const change = CHANGES[redeploy.fork(spec.resource).choose(CHANGES.length + 1, 'change of rates', [2, 1, 1, 1, 1]) - 1];
    if (!change) continue;
    strike(sim, 'rates-changed');
    sim.history?.add('operator', `${change.name} ${spec.resource}`);
    const rates = change.of(old);
    void deploy(sim, { ...spec, ...(rates && { rates }) });
  }
}

async function deploy(sim: Simulation, spec: ResourceSpec): Promise<void> {
  sim.checks.rates.deployed(spec);
  await sim.services.types.putResource(spec);
}
