import type { TaskTypeSpec } from '@sluice/contracts';
import type { Stream } from './choices.ts';
import { oneOf, type Simulation } from './simulation.ts';
import { typeSpec } from './type-spec.ts';

type Submit = (sim: Simulation, stream: Stream, tenant: string, batch: readonly Record<string, unknown>[]) => void;

/** Wide enough for its dispatchers to claim ahead of it. */
export const CROWDED: TaskTypeSpec = typeSpec('crowded', {
  concurrency: 5,
  start: 'wait',
  timeoutSeconds: 10,
  adaptive: false,
  retry: { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 30, factor: 3 },
});
const TASKS = 24;

/** In some runs one lane of a type that is waited for gets many times what it may run at once. */
export function startCrowd(sim: Simulation, tenants: readonly [string, ...string[]], submit: Submit): void {
  const stream = sim.root.fork('crowd');
  if (!stream.happens(0.3, 'crowd')) return;
  const tenant = oneOf(stream, 'tenant', tenants);
  const batch = Array.from({ length: TASKS }, (_, n) => ({ type: CROWDED.type, id: `${CROWDED.type}-${n}`, payload: { text: 'x' } }));
  sim.kernel.after(stream.choose(120, 'at') * 1_000, () => submit(sim, stream.fork('tasks'), tenant, batch));
}
