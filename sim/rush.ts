import type { Stream } from './choices.ts';
import { oneOf, type Simulation } from './simulation.ts';

/** A call of a client that submits. */
export type Submit = (sim: Simulation, stream: Stream, tenant: string, batch: readonly Record<string, unknown>[]) => void;

/** Tasks that fill a lane of the type `narrow`, and those of a higher class that come while they run. */
const [FILL, RUSH] = [3, 2];

/** In some runs a lane is full of low tasks when high ones come to it: preemptible attempts are asked to make room. */
export function startRush(sim: Simulation, tenants: readonly [string, ...string[]], submit: Submit): void {
  const stream = sim.root.fork('rush');
  if (!stream.happens(0.4, 'rush')) return;
  const tenant = oneOf(stream, 'tenant', tenants);
  const batch = (priority: string, count: number) =>
    Array.from({ length: count }, (_, n) => ({ type: 'narrow', id: `narrow-${priority}-${n}`, priority, payload: { text: 'x' } }));
  const at = stream.choose(120, 'at') * 1_000;
  sim.kernel.after(at, () => submit(sim, stream.fork('fill'), tenant, batch('low', FILL)));
  sim.kernel.after(at + 500 + stream.choose(30, 'after') * 100, () => submit(sim, stream.fork('above'), tenant, batch('high', RUSH)));
}
