import type { Violation } from '../explore/search.ts';
import { FAULT_KINDS } from '../faults.ts';
import { runSeed } from '../seed.ts';
import type { Runs } from './mutant.ts';

/** Random runs until one violates something; `random.ts '[SEED,…]' RUNS` makes these, and prints what it found as JSON. */
const [, , seeds = '[]', given = '{}'] = process.argv;
const { profile = {}, without = [] } = JSON.parse(given) as Runs;
const only = new Set(FAULT_KINDS.filter((kind) => !without.includes(kind)));
const violations: (Violation & { readonly seed: number })[] = [];
for (const seed of JSON.parse(seeds) as number[]) {
  const [first] = (await runSeed(seed, { profile, only })).violations;
  if (!first) continue;
  violations.push({ check: first.kind, says: first.what, history: [`seed ${seed}${given === '{}' ? '' : ` with ${given}`}`], seed });
  break;
}
console.log(JSON.stringify([{ violations }]));
