import type { Stream } from './choices.ts';
import { redrive } from './clients.ts';
import type { Submit } from './rush.ts';
import { oneOf, type Simulation } from './simulation.ts';

const HOPELESS = 'hopeless';
const TYPES = ['wide', 'short'] as const;
const TASKS = 5;
/** When they come and when they are redriven, s from the beginning: most have failed by then. */
const COME = { from: 5, within: 120 };
const REDRIVE = { from: 190, within: 90 };

/** In some runs tasks of one tenant fail for good, and it redrives all that has failed. */
export function startHopeless(sim: Simulation, tenants: readonly [string, ...string[]], submit: Submit): void {
  const stream = sim.root.fork(HOPELESS);
  if (!stream.happens(0.4, HOPELESS)) return;
  const tenant = oneOf(stream, 'tenant', tenants);
  const at = (name: string, { from, within }: typeof COME, run: (own: Stream) => void): void => {
    const own = stream.fork(name);
    sim.kernel.after((from + own.choose(within, 'at')) * 1_000, () => run(own));
  };
  for (const type of TYPES) {
    const batch = Array.from({ length: TASKS }, (_, n) => ({ type, id: `${type}-${HOPELESS}-${n}`, payload: { text: 'x' } }));
    at(type, COME, (own) => submit(sim, own, tenant, batch));
  }
  at('redrive', REDRIVE, (own) => redrive(sim, own, tenant, TYPES));
}

/** Whether this task fails whatever runs it. Its handler is mended when the faults end. */
export function isHopeless({ calm }: Simulation, id: string): boolean {
  return !calm && id.includes(HOPELESS);
}
