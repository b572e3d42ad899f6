import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import Table from 'cli-table3';
import { readCommandLine } from '../bin/command-line.ts';
import { CONFIGS } from './explore/configs.ts';
import { shortOf } from './explore/promised.ts';
import { explore, type Explored } from './explore/search.ts';

/** States of one question, where it says nothing itself: those that have more are not complete, and say so. */
const MOST_STATES = 40_000;

const USAGE = `Visits all histories of small worlds: every interleaving of the production code's calls, with every fault at every place.

  npm run sim:explore -- [--config NAME] [--states N] [--json]

  --config  asks this question alone of those in sim/explore/configs.ts; may be given several times
  --states  stops each question after so many states; without it after as many as it says itself, or ${MOST_STATES}
  --json    prints the numbers as JSON

A run of all fails where it stops too early. docs/exploration.md says more.`;

const { values, wholeNumber, refuse } = readCommandLine(USAGE, {
  json: { type: 'boolean' },
  // For the processes that it starts.
  here: { type: 'boolean' },
  config: { type: 'string', multiple: true },
  states: { type: 'string' },
});
const asked = values.states === undefined ? undefined : wholeNumber('states', MOST_STATES);
/** MB of a process: some 20 KB a state that waits to be looked at. */
const MEMORY_MB = 3_000;

const chosen = CONFIGS.filter(({ name }) => !values.config || values.config.includes(name));
const unknown = values.config?.filter((name) => !CONFIGS.some((config) => config.name === name)) ?? [];
if (unknown.length > 0) refuse(`there is no question ${unknown.join(', ')}; there are: ${CONFIGS.map(({ name }) => name).join(', ')}`);

if (values.here) {
  const results: Explored[] = [];
  for (const config of chosen) {
    results.push(await explore(config, { states: asked ?? config.states ?? MOST_STATES }));
  }
  process.stdout.write(JSON.stringify(results));
} else {
  const began = performance.now();
  const waiting = [...chosen];
  const results: Explored[] = [];
  const worker = async (): Promise<void> => {
    for (let config = waiting.shift(); config; config = waiting.shift()) {
      const args = [`--max-old-space-size=${MEMORY_MB}`, import.meta.filename, '--here', '--config', config.name];
      if (asked !== undefined) args.push('--states', String(asked));
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
