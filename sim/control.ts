import type { ControlMessage } from '@sluice/contracts';
import { admissionStep } from '../core/admission/control-step.ts';
import { divideStep } from '../core/control/divide-capacities.ts';
import { runRound, type ControlStep } from '../core/control/round.ts';
import type { Stream } from './choices.ts';
import { TIMEOUT_SECONDS } from './functions.ts';
import { COMMON_BOUNDS } from './gate.ts';
import { invoke } from './invocation.ts';
import { everyMinute } from './minutes.ts';
import type { SystemPorts } from './ports.ts';
import type { Simulation } from './simulation.ts';

/** ms after which control hears of what it was told. */
const POLL_MS = 5_000;
/** What control needs for its answer, ms, as its handler has it. */
const MARGIN_MS = 10_000;
/** ms after which what a round that failed was told comes again. */
const AGAIN_MS = 30_000;

/** Control, which divides and decides whom submit refuses: each minute, and for what it is told. */
export function startControl(sim: Simulation): void {
  const { divides, rates, admits } = sim.profile;
  if (!divides && !rates && !admits) return;
  everyMinute(sim, 'control', (stream, about) => round(sim, stream, about, []));
  whenTold(sim);
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
      const now = ports.clock.now();
      const deadline = now + TIMEOUT_SECONDS.control * 1000 - MARGIN_MS;
      return runRound(stepsOf(sim, ports), { now, deadline, minute: told.length === 0, told }, ports.telemetry);
    },
    // Its queue keeps what it was told.
    failed: () => sim.kernel.after(AGAIN_MS, () => told.forEach((message) => void sim.services.control.tell(message))),
  });
}

/** As the handler of control has them, but those that have invocations of their own here. */
function stepsOf(sim: Simulation, ports: SystemPorts): readonly ControlStep[] {
  const { divides, rates, admits } = sim.profile;
  const types = { ...ports.types, resources: () => sim.services.types.resources() };
  return [
    ...(divides || rates ? [divideStep({ ...ports, types })] : []),
    ...(admits ? [admissionStep({ ...ports, commonBounds: COMMON_BOUNDS })] : []),
  ];
}
