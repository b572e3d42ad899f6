import { tick } from './functions.ts';
import { invoke } from './invocation.ts';
import { oneOf, strikes, type Simulation } from './simulation.ts';

const MINUTE_MS = 60_000;

/** The minute's schedule: late by up to 60 s, twice, or not at all. */
export function startSchedule(sim: Simulation): void {
  const next = (): void => {
    const minute = Math.floor(sim.kernel.now() / MINUTE_MS) + 1;
    sim.kernel.at(minute * MINUTE_MS, () => {
      fire(sim, minute);
      next();
    });
  };
  next();
}

function fire(sim: Simulation, minute: number): void {
  const stream = sim.root.fork('tick', minute % 2 ** 31);
  const run = (name: string) =>
    invoke(sim, { name: 'timers', stream: stream.fork(name), about: `minute ${minute}`, run: (ports) => tick(ports) });
  if (strikes(sim, stream, 'tick-missed')) {
    sim.history?.add('schedule', `minute ${minute}`, 'tick-missed');
    return;
  }
  const late = strikes(sim, stream, 'tick-late') ? oneOf(stream, 'late by', [1_000, 20_000, 60_000]) : 0;
  sim.kernel.after(late, () => run('first'));
  if (strikes(sim, stream, 'tick-twice')) sim.kernel.after(oneOf(stream, 'again after', [0, 1_000, 40_000]), () => run('second'));
}
