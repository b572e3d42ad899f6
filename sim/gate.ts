import { createAdmission, type Admission } from '../core/admission/admission.ts';
import { createAdmissionFeed } from '../core/admission/feed.ts';
import { makeCall } from './calls.ts';
import { chanceOf } from './chance.ts';
import type { Stream } from './choices.ts';
import { portsThrough, type PortCall } from './ports.ts';
import type { Environment, Simulation } from './simulation.ts';

/** What a tenant may submit for whom nothing else is said. */
export const COMMON_BOUNDS = { rate: 4, burst: 16, backlog: 40 };

/**
 * The gate of one environment of submit, wired as functions/admission.ts does it. What it tells and reads it calls for behind the
 * invocations' backs: such a call goes on when the invocation has ended, and is gone with the environment.
 */
export function createGate(sim: Simulation, environment: Environment, stream: Stream, skewMs: number): Admission {
  let calls = 0;
  const onCall = (call: PortCall): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (environment.isGone) return;
      makeCall(sim, { who: 'gate of submit', name: 'submit' }, stream.fork('call', calls++), call, {
        isAlive: () => !environment.isGone,
        die: (why) => environment.die?.(why),
        resolve,
        reject,
      });
    });
  const { admissions, quotas, control, telemetry } = sim.ports;
  const through = portsThrough({ admissions, quotas, control }, onCall);
  const clock = { now: () => sim.kernel.now() + skewMs };
  const random = chanceOf(stream);
  const timer = { sleep: (ms: number) => new Promise<void>((resolve) => void sim.kernel.after(ms, resolve)) };
  const feed = createAdmissionFeed({ ...through, clock, timer, random, telemetry });
  return createAdmission({ feed, clock, random, telemetry, bounds: COMMON_BOUNDS });
}
