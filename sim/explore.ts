import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { CONFIGS } from './explore/configs.ts';
import { shortOf } from './explore/promised.ts';
import { explore, type Explored } from './explore/search.ts';

/*
 * Visits all histories of small worlds: every interleaving of the production code's calls, with every fault at every place.
 * `npm run sim:explore` asks all questions of sim/explore/configs.ts, `--config NAME` some of them, `--states N` stops each
 * after so many states. A run of all fails where it stops too early. docs/exploration.md says more. `--here` is for the
 * processes that it starts.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    here: { type: 'boolean' },
    config: { type: 'string', multiple: true },
    states: { type: 'string' },
  },
});
/** States of one question, where it says nothing itself: those that have more are not complete, and say so. */
const MOST_STATES = Number(values.states ?? 40_000);
/** MB of a process: some 20 KB a state that waits to be looked at. */
const MEMORY_MB = 3_000;

const chosen = CONFIGS.filter(({ name }) => !values.config || values.config.includes(name));
const unknown = values.config?.filter((name) => !CONFIGS.some((config) => config.name === name)) ?? [];
if (unknown.length > 0)
  throw new Error(`there is no question ${unknown.join(', ')}; there are: ${CONFIGS.map(({ name }) => name).join(', ')}`);

if (values.here) {
  const results: Explored[] = [];
  for (const config of chosen) {
    const states = values.states === undefined ? (config.states ?? MOST_STATES) : MOST_STATES;
    results.push(await explore(config, { states }));
  }
  process.stdout.write(JSON.stringify(results));
} else {
  const began = performance.now();
  const waiting = [...chosen];
  const results: Explored[] = [];
  const worker = async (): Promise<void> => {
    for (let config = waiting.shift(); config; config = waiting.shift()) {
      const args = [`--max-old-space-size=${MEMORY_MB}`, import.meta.filename, '--here', '--config', config.name];
      if (values.states !== undefined) args.push('--states', values.states);
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      results.push(...(JSON.parse(await text(child.stdout)) as Explored[]));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const sum = (of: (result: Explored) => number) => results.reduce((total, result) => total + of(result), 0);
  const violations = results.flatMap((result) => result.violations.map((violation) => ({ config: result.config, ...violation })));
  const summary = {
    states: sum((r) => r.states),
    transitions: sum((r) => r.transitions),
    violations: violations.length,
    questions: results.length,
    complete: results.filter((r) => r.complete).length,
    seconds: Math.round((performance.now() - began) / 100) / 10,
  };
  const short = values.config || values.states !== undefined ? [] : shortOf(results);
  for (const what of short) console.error(what);
  for (const { config, check, says, history } of violations) console.error(`${config}: ${check}: ${says}\n${history.join('\n')}\n`);
  if (values.json) console.log(JSON.stringify({ ...summary, questions: results }));
  else {
    const table = new Table({ head: ['question', 'states', 'steps', 'ends', 'depth', 'complete', 'violations'] });
    const inOrder = CONFIGS.flatMap(({ name }) => results.filter((r) => r.config === name));
    for (const r of inOrder)
      table.push([r.config, r.states, r.transitions, r.ends, r.depth, r.complete ? 'yes' : 'no', r.violations.length]);
    console.log(table.toString());
    console.log(JSON.stringify(summary));
  }
  if (violations.length > 0 || short.length > 0) process.exitCode = 1;
}
