import type { TaskState } from '@sluice/contracts';
import type { RowChange } from '../../core/ports/task-store.ts';
import { portsThrough, unknownAnswer } from '../../sim/ports.ts';
import type { WorldDeps } from './world.ts';

export interface PortCall {
  /** `port.method` */
  readonly at: string;
  readonly args: readonly unknown[];
}

/**
 * What becomes of one call of a port.
 * - `fail`: it is not applied, and its caller is told so (or told that nothing is known)
 * - `ambiguous`: it is applied, and its caller is told that nothing is known
 * - `die`, `die-after`: the invocation ends here, before or after the call; nothing that it calls later happens
 */
export type Fault = 'none' | 'fail' | 'ambiguous' | 'die' | 'die-after';

export class Crash extends Error {
  override readonly name = 'Crash';
}

/**
 * The ports of one invocation, with faults.
 * @param decide is asked before each call. It may do something of its own first: let others run, or let time pass.
 */
export function faulty(deps: WorldDeps, decide: (call: PortCall) => Fault | Promise<Fault>): WorldDeps {
  let dead = false;
  return portsThrough(deps, async ({ at, args, apply }) => {
    const fault = dead ? 'die' : await decide({ at, args });
    // Others may have ended this invocation meanwhile.
    if (dead || fault === 'die') {
      dead = true;
      throw new Crash(`${at}: the invocation is dead`);
    }
    if (fault === 'fail') return unknownAnswer({ at, args });
    const answer = await apply();
    if (fault === 'die-after') {
      dead = true;
      throw new Crash(`${at}: the invocation died after it`);
    }
    return fault === 'ambiguous' ? unknownAnswer({ at, args }) : answer;
  });
}

/** One fault, at the n-th call of a method. */
export function faultAt(deps: WorldDeps, at: string, fault: Fault, nth = 1): WorldDeps {
  let seen = 0;
  return faulty(deps, (call) => (call.at === at && ++seen === nth ? fault : 'none'));
}

/** Does something just before the first call of a method (that is meant): what others do between two steps of this invocation. */
export function before(
  deps: WorldDeps,
  at: string,
  run: () => unknown,
  meant: (args: readonly unknown[]) => boolean = () => true,
): WorldDeps {
  let done = false;
  return faulty(deps, async (call): Promise<Fault> => {
    if (call.at === at && !done && meant(call.args)) {
      done = true;
      await run();
    }
    return 'none';
  });
}

/** Whether a call of `tasks.update` writes that state. */
export function writes(state: TaskState): (args: readonly unknown[]) => boolean {
  return (args) => (args[3] as RowChange).set.state === state;
}

/** The calls of an invocation, in order. */
export function traced(deps: WorldDeps): { readonly deps: WorldDeps; readonly calls: PortCall[] } {
  const calls: PortCall[] = [];
  return { calls, deps: faulty(deps, (call) => (calls.push(call), 'none')) };
}
