import { parseArgs } from 'node:util';
import type { Explored } from './explore/search.ts';
import { runSeed } from './seed.ts';

/*
 * Asks the random simulation, of runs in which capacities are divided, whether lanes ever hold more than there is: for bugs that no
 * small world of the explorer has. It answers as `sim/explore.ts` does; of seeds it takes one for each thousand states.
 */
const { values } = parseArgs({ options: { states: { type: 'string', default: '60000' } }, strict: false });
const seeds = Math.ceil(Number(values.states) / 1_000);
let states = 0;
const violations: Explored['violations'][number][] = [];
for (let seed = 1; seed <= seeds && violations.length === 0; seed++) {
  const { violations: found, steps } = await runSeed(seed, { profile: { divides: true, redeploys: false, purges: false } });
  states += steps;
  for (const { kind, what } of found.filter((each) => each.kind === 'permitLeaks'))
    violations.push({ check: kind, says: what, history: [`npm run sim -- --seed ${seed}, with capacities that are divided`] });
}
const answer: Explored = {
  config: 'division',
  states,
  transitions: states,
  ends: 0,
  depth: 0,
  places: 0,
  violations,
  complete: false,
};
console.log(JSON.stringify([answer]));
