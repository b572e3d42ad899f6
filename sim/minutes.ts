import type { Stream } from './choices.ts';
import { oneOf, strikes, type Simulation } from './simulation.ts';

const MINUTE_MS = 60_000;

/** A step of control in each minute: late, twice at once, or not at all. @param name of the step's choices */
export function everyMinute(sim: Simulation, name: string, run: (stream: Stream, about: string) => void): void {
  const minute = Math.floor(sim.kernel.now() / MINUTE_MS) + 1;
  sim.kernel.at(minute * MINUTE_MS, () => {
    const stream = sim.root.fork(name, minute % 2 ** 31);
    const begin = (which: string): void => run(stream.fork(which), `minute ${minute}`);
    if (!strikes(sim, stream, 'tick-missed')) {
      const late = strikes(sim, stream, 'tick-late') ? oneOf(stream, 'late by', [1_000, 20_000, 60_000]) : 0;
      sim.kernel.after(late, () => begin('first'));
      if (strikes(sim, stream, 'tick-twice')) sim.kernel.after(oneOf(stream, 'again after', [0, 1_000, 40_000]), () => begin('second'));
    }
    everyMinute(sim, name, run);
  });
}
