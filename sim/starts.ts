import type { StartMode } from '@sluice/contracts';
import { isAuto, type StartRules } from '../core/starts/choose.ts';
import { chooseStarts } from '../core/starts/control-step.ts';
import { invoke } from './invocation.ts';
import { everyMinute } from './minutes.ts';
import { oneOf, strike, type Simulation } from './simulation.ts';
import { TYPES } from './workload.ts';

const MINUTE_MS = 60_000;
/** Times that a choice is changed by chance, besides by what was measured, and the time in which it is, ms. */
const FLIPS = 12;
const FLIPPING_MS = 5 * MINUTE_MS;

/** Few runs say something here, and half of them may be slow: so it is chosen otherwise again and again. */
export const START_RULES: StartRules = { runs: 2, beyond: 0.5 };

/** Begins with one type that is waited for, as though it had shown that it is short. */
export async function startStarts(sim: Simulation): Promise<void> {
  if (!sim.profile.starts) return;
  const { starts } = sim.services;
  await starts.write({ v: 1, type: 'single', mode: 'wait', since: sim.kernel.now() }, undefined);
  for (let n = 0; n < FLIPS; n++) {
    const stream = sim.root.fork('flip', n);
    if (!stream.happens(0.6, 'flips')) continue;
    const type = oneOf(stream, 'type', ['wide', 'single']);
    sim.kernel.after(stream.choose(FLIPPING_MS / 100, 'at') * 100, () => void flip(sim, type));
  }
  everyMinute(sim, 'starts', (stream, about) => invoke(sim, { name: 'starts', stream, about, run: (ports) => chooseStarts(ports) }));
}

/** Another round of control has seen what this one has not. */
async function flip(sim: Simulation, type: string): Promise<void> {
  const { starts } = sim.services;
  if (!TYPES.some((spec) => spec.type === type && isAuto(spec))) throw new Error(`the type ${type} does not choose how it is started`);
  const choice = await starts.known(type);
  const mode: StartMode = choice?.mode === 'wait' ? 'event' : 'wait';
  const since = Math.max(sim.kernel.now(), (choice?.since ?? 0) + 1);
  if (!(await starts.write({ v: 1, type, mode, since }, choice))) return;
  strike(sim, 'starts');
  sim.history?.add('control', `has ${type} started by ${mode}`);
}
