import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { readCommandLine } from '../bin/command-line.ts';
import { MUTANTS } from './mutants/list.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { Explored, Violation } from './explore/search.ts';

const USAGE = `Plants each bug of sim/mutants/ into the code as it is loaded, and explores until it is found: the shortest history that
shows it is printed, or the first random run. The same questions without a bug must find nothing.

  npm run sim:mutants -- [--only NAME] [--json]

  --only  plants this bug alone; may be given several times
  --json  prints what came of each as JSON`;

const { values, refuse } = readCommandLine(USAGE, { json: { type: 'boolean' }, only: { type: 'string', multiple: true } });
/** States of each question, with a bug and without. */
const STATES = 60_000;

const chosen = MUTANTS.filter(({ name }) => !values.only || values.only.includes(name));
const unknown = values.only?.filter((only) => !MUTANTS.some(({ name }) => name === only)) ?? [];
if (unknown.length > 0) refuse(`there is no bug ${unknown.join(', ')}; there are: ${MUTANTS.map(({ name }) => name).join(', ')}`);

type Found = Pick<Explored, 'violations'>;

async function ask(what: Mutant | string): Promise<Found> {
  const here = new URL('.', import.meta.url);
  const mutant = typeof what === 'string' ? undefined : what;
  const plant = mutant ? ['--import', new URL('mutants/plant.ts', here).href] : [];
  const args =
    typeof what !== 'string' && 'seeds' in what
      ? [new URL('mutants/random.ts', here).pathname, String(what.seeds), JSON.stringify(what.profile ?? {})]
      : [new URL('explore.ts', here).pathname, '--here', ...explored(what)];
  const env = { ...process.env, ...(mutant && { SLUICE_MUTANT: mutant.name }) };
  const child = spawn(process.execPath, [...plant, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await text(child.stdout);
  const [result] = said === '' ? [] : (JSON.parse(said) as Found[]);
  if (!result) throw new Error(`no answer to ${mutant?.name ?? `${questionOf(what)} without a bug`}`);
  return result;
}

function explored(what: Mutant | string): string[] {
  const states = typeof what !== 'string' && 'states' in what ? what.states : undefined;
  return ['--config', questionOf(what), '--states', String(states ?? STATES)];
}

function questionOf(what: Mutant | string): string {
  if (typeof what === 'string') return what;
  return 'seeds' in what ? `npm run sim -- --seeds ${what.seeds}` : what.question;
}

interface Asked {
  readonly what: Mutant | string;
  readonly result: Found;
}

function tell(what: Mutant | string, found: Violation | undefined): void {
  const question = questionOf(what);
  const how = found && `"${question}", ${found.check}: ${found.says}\n${found.history.map((line) => `  ${line}`).join('\n')}\n`;
  if (typeof what === 'string') return console.log(how ? `WITHOUT A BUG, by ${how}` : `without a bug "${question}" finds nothing`);
  console.log(`${what.name}${what.rule ? ` (rule ${what.rule})` : ''}: ${what.why}`);
  console.log(how ? `  found by ${how}` : `  NOT FOUND by "${question}"\n`);
}

const began = performance.now();
const questions = chosen.flatMap((mutant) => ('seeds' in mutant ? [] : [mutant.question]));
const waiting: (Mutant | string)[] = [...chosen, ...new Set(questions)];
const asked: Asked[] = [];
async function worker(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const result = await ask(next);
    asked.push({ what: next, result });
    if (!values.json) tell(next, result.violations[0]);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, worker));

const report = asked.flatMap(({ what, result }) =>
  typeof what === 'string'
    ? []
    : [{ name: what.name, rule: what.rule, question: questionOf(what), why: what.why, found: result.violations[0] }],
);
const missed = report.flatMap(({ name, found }) => (found ? [] : [name]));
const violationsWithout = asked.flatMap(({ what, result }) => (typeof what === 'string' && result.violations.length > 0 ? [what] : []));
const seconds = Math.round((performance.now() - began) / 100) / 10;
const summary = { planted: chosen.length, found: chosen.length - missed.length, missed, violationsWithout, seconds };
console.log(JSON.stringify(values.json ? { ...summary, mutants: report } : summary));
if (missed.length > 0 || violationsWithout.length > 0) process.exitCode = 1;
