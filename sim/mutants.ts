import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { readCommandLine } from '../bin/command-line.ts';
import { controlsOf, type Control } from './mutants/controls.ts';
import { MUTANTS } from './mutants/list.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { Violation } from './explore/search.ts';

const USAGE = `Plants each bug of sim/mutants/ into the code as it is loaded, and explores until it is found: the shortest history that
shows it is printed, or the first random run. The same questions, and
the random runs that found something, must find nothing without a bug.

  npm run sim:mutants -- [--only NAME] [--json]

  --only  plants this bug alone; may be given several times
  --json  prints what came of each as JSON`;

const { values, refuse } = readCommandLine(USAGE, { json: { type: 'boolean' }, only: { type: 'string', multiple: true } });
/** States of each question, with a bug and without. */
const STATES = 60_000;
/** Bugs that a run of all plants at least. */
const LEAST_PLANTED = 20;

const chosen = MUTANTS.filter(({ name }) => !values.only || values.only.includes(name));
const unknown = values.only?.filter((only) => !MUTANTS.some(({ name }) => name === only)) ?? [];
if (unknown.length > 0) refuse(`there is no bug ${unknown.join(', ')}; there are: ${MUTANTS.map(({ name }) => name).join(', ')}`);
if (!values.only && chosen.length < LEAST_PLANTED)
  throw new Error(`only ${chosen.length} bugs are planted, and a run of all has at least ${LEAST_PLANTED}`);

/** What is asked: of the code with a bug, or as it is. */
type Question = { readonly mutant: Mutant } | { readonly question: string } | { readonly control: Control };
type Found = Violation & { readonly seed?: number };

async function ask(what: Question): Promise<Found | undefined> {
  const here = new URL('.', import.meta.url);
  const mutant = 'mutant' in what ? what.mutant : undefined;
  const plant = mutant ? ['--import', new URL('mutants/plant.ts', here).href] : [];
  const env = { ...process.env, ...(mutant && { SLUICE_MUTANT: mutant.name }) };
  const [script = '', ...args] = argsOf(what);
  const child = spawn(process.execPath, [...plant, new URL(script, here).pathname, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await text(child.stdout);
  const [result] = said === '' ? [] : (JSON.parse(said) as { readonly violations: readonly Found[] }[]);
  if (!result) throw new Error(`no answer to ${nameOf(what)}`);
  return result.violations[0];
}

function argsOf(what: Question): string[] {
  if ('control' in what) return randomArgs(what.control.seeds, what.control.runs);
  if ('question' in what) return ['explore.ts', '--here', '--config', what.question, '--states', String(STATES)];
  const { mutant } = what;
  if ('question' in mutant) return ['explore.ts', '--here', '--config', mutant.question, '--states', String(mutant.states ?? STATES)];
  const seeds = Array.from({ length: mutant.seeds }, (_, n) => n + 1);
  return randomArgs(seeds, { ...(mutant.profile && { profile: mutant.profile }), ...(mutant.without && { without: mutant.without }) });
}

function randomArgs(seeds: readonly number[], runs: Control['runs']): string[] {
  return ['mutants/random.ts', JSON.stringify(seeds), JSON.stringify(runs)];
}

function nameOf(what: Question): string {
  if ('mutant' in what) return 'question' in what.mutant ? what.mutant.question : `npm run sim -- --seeds ${what.mutant.seeds}`;
  return 'question' in what ? what.question : `seeds ${what.control.seeds.join(', ')} with ${JSON.stringify(what.control.runs)}`;
}

function tell(what: Question, found: Found | undefined): void {
  const question = nameOf(what);
  const how = found && `"${question}", ${found.check}: ${found.says}\n${found.history.map((line) => `  ${line}`).join('\n')}\n`;
  if (!('mutant' in what)) return console.log(how ? `WITHOUT A BUG, by ${how}` : `without a bug "${question}" finds nothing`);
  const { name, rule, why } = what.mutant;
  console.log(`${name}${rule ? ` (rule ${rule})` : ''}: ${why}`);
  console.log(how ? `  found by ${how}` : `  NOT FOUND by "${question}"\n`);
}

interface Asked<Q> {
  readonly what: Q;
  readonly found: Found | undefined;
}

/** Asks all, some at a time. */
async function askAll<Q extends Question>(questions: readonly Q[]): Promise<readonly Asked<Q>[]> {
  const waiting = [...questions];
  const asked: Asked<Q>[] = [];
  const worker = async (): Promise<void> => {
    for (let what = waiting.shift(); what; what = waiting.shift()) {
      const found = await ask(what);
      asked.push({ what, found });
      if (!values.json) tell(what, found);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return asked;
}

const began = performance.now();
const questions = new Set(chosen.flatMap((mutant) => ('seeds' in mutant ? [] : [mutant.question])));
const asked = await askAll<Question>([...chosen.map((mutant) => ({ mutant })), ...[...questions].map((question) => ({ question }))]);
const report = asked.flatMap(({ what, found }) => {
  if (!('mutant' in what)) return [];
  const { name, rule, why } = what.mutant;
  return [{ name, rule, question: nameOf(what), why, found, mutant: what.mutant }];
});
const controls = await askAll(controlsOf(report).map((control) => ({ control })));

const missed = report.flatMap(({ name, found }) => (found ? [] : [name]));
const without = [...asked.filter(({ what }) => !('mutant' in what)), ...controls];
const violationsWithout = without.flatMap(({ what, found }) => (found ? [nameOf(what)] : []));
const seconds = Math.round((performance.now() - began) / 100) / 10;
const summary = {
  planted: chosen.length,
  found: chosen.length - missed.length,
  missed,
  controls: without.length,
  violationsWithout,
  seconds,
};
const mutants = report.map(({ mutant: _, ...said }) => said);
console.log(JSON.stringify(values.json ? { ...summary, mutants } : summary));
if (missed.length > 0 || violationsWithout.length > 0) process.exitCode = 1;
