import type { Violation } from '../explore/search.ts';
import type { Profile } from '../faults.ts';
import { runSeed } from '../seed.ts';

/** Random runs until one violates something; `random.ts N PROFILE` makes so many at most, and prints what it found as JSON. */
const [, , most, given = '{}'] = process.argv;
const profile = JSON.parse(given) as Partial<Profile>;
const violations: Violation[] = [];
for (let seed = 1; seed <= Number(most) && violations.length === 0; seed++) {
  const [first] = (await runSeed(seed, { profile })).violations;
  if (first) violations.push({ check: first.kind, says: first.what, history: [`seed ${seed}${given === '{}' ? '' : ` with ${given}`}`] });
}
console.log(JSON.stringify([{ violations }]));
