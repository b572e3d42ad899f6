import type { TaskTypeSpec } from '@sluice/contracts';
import type { Submit } from './rush.ts';
import { oneOf, type Simulation } from './simulation.ts';
import { RETRY, typeSpec } from './type-spec.ts';

/** Wide enough for its dispatchers to claim ahead of it. */
export const CROWDED: TaskTypeSpec = typeSpec('crowded', {
  concurrency: 5,
  start: 'wait',
  timeoutSeconds: 10,
  adaptive: false,
  retry: RETRY,
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
