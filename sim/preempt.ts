import type { Envelope, KitReply, TaskTypeSpec } from '@sluice/contracts';
import { attemptState } from '../core/api/attempt-state.ts';
import type { Behaviour } from './behaviour.ts';
import type { Stream } from './choices.ts';
import { invoke } from './invocation.ts';
import type { Simulation } from './simulation.ts';

/** ms: an attempt that is shorter asks nothing. */
const ASKS_FROM_MS = 1_000;

/**
 * A run of a preemptible type asks once, halfway, whether it shall go on, as the handler kit does; asked to make room, it stops
 * there. Its end comes at its time in any case: an answer that does not come is none.
 */
export function runUntilAsked(
  sim: Simulation,
  stream: Stream,
  spec: TaskTypeSpec,
  { sluice }: Envelope,
  end: Behaviour,
  done: (end: Behaviour) => void,
): void {
  const { tenant, task, uid, fence, control } = sluice;
  const began = sim.kernel.now();
  let isOver = false;
  const finish = (how: Behaviour): void => {
    if (isOver) return;
    isOver = true;
    done(how);
  };
  sim.kernel.after(end.ms, () => finish(end));
  if (spec.preemptible !== true || !control || end.ms < ASKS_FROM_MS) return;
  const question = { tenant, task, uid, fence, key: control.key };
  sim.kernel.after(Math.floor(end.ms / 2), () =>
    invoke(sim, {
      name: 'attempt',
      stream: stream.fork('asks'),
      about: `${tenant}/${task} fence ${fence}`,
      run: (ports) => attemptState(ports, question),
      done: (state) => {
        if (state === 'preempting') finish(madeRoom(began, sim.kernel.now(), fence));
      },
    }),
  );
}

function madeRoom(startedAt: number, endedAt: number, fence: number): Behaviour {
  const payload: KitReply = { sluice: { version: 1, class: 'preempted', startedAt, endedAt, checkpoint: { fence } } };
  return { name: 'makes room', ms: endedAt - startedAt, answer: { payload }, counts: false, crashed: false, success: false };
}
