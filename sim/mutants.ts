import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { MUTANTS } from './mutants/list.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { Explored, Violation } from './explore/search.ts';

/*
 * Plants each bug of sim/mutants/ into the code as it is loaded, and explores until it is found: the shortest history that
 * shows it is printed. `npm run sim:mutants` does all, `--only NAME` some. The same questions without a bug must find nothing.
 */
const { values } = parseArgs({ options: { json: { type: 'boolean' }, only: { type: 'string', multiple: true } } });
/** States of each question, with a bug and without. */
const STATES = 60_000;

const chosen = MUTANTS.filter(({ name }) => !values.only || values.only.includes(name));
if (chosen.length < (values.only?.length ?? 1)) throw new Error(`there are: ${MUTANTS.map(({ name }) => name).join(', ')}`);

async function ask(question: string, mutant: Mutant | undefined): Promise<Explored> {
  const here = new URL('.', import.meta.url);
  const plant = mutant ? ['--import', new URL('mutants/plant.ts', here).href] : [];
  const args = [
    ...plant,
    new URL(question === 'division' ? 'division-question.ts' : 'explore.ts', here).pathname,
    '--here',
    '--config',
    question,
    '--states',
    String(mutant?.states ?? STATES),
  ];
  const env = { ...process.env, ...(mutant && { SLUICE_MUTANT: mutant.name }) };
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const said = await text(child.stdout);
  const [result] = said === '' ? [] : (JSON.parse(said) as Explored[]);
  if (!result) throw new Error(`no answer to ${question} with ${mutant?.name ?? 'no bug'}`);
  return result;
}

interface Asked {
  readonly mutant: Mutant | undefined;
  readonly question: string;
  readonly result: Explored;
}

function tell(mutant: Mutant | undefined, question: string, found: Violation | undefined): void {
  const how = found && `"${question}", ${found.check}: ${found.says}\n${found.history.map((line) => `  ${line}`).join('\n')}\n`;
  if (!mutant) return console.log(how ? `WITHOUT A BUG, by ${how}` : `without a bug "${question}" finds nothing`);
  console.log(`${mutant.name}${mutant.rule ? ` (rule ${mutant.rule})` : ''}: ${mutant.why}`);
  console.log(how ? `  found by ${how}` : `  NOT FOUND by "${question}"\n`);
}

const began = performance.now();
const waiting: (Mutant | string)[] = [...chosen, ...new Set(chosen.map(({ question }) => question))];
const asked: Asked[] = [];
async function worker(): Promise<void> {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const mutant = typeof next === 'string' ? undefined : next;
    const question = typeof next === 'string' ? next : next.question;
    const result = await ask(question, mutant);
    asked.push({ mutant, question, result });
    if (!values.json) tell(mutant, question, result.violations[0]);
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, worker));

const report = asked.flatMap(({ mutant, question, result }) =>
  mutant ? [{ name: mutant.name, rule: mutant.rule, question, why: mutant.why, found: result.violations[0] }] : [],
);
const missed = report.flatMap(({ name, found }) => (found ? [] : [name]));
const violationsWithout = asked.flatMap(({ mutant, question, result }) => (!mutant && result.violations.length > 0 ? [question] : []));
const seconds = Math.round((performance.now() - began) / 100) / 10;
const summary = { planted: chosen.length, found: chosen.length - missed.length, missed, violationsWithout, seconds };
console.log(JSON.stringify(values.json ? { ...summary, mutants: report } : summary));
if (missed.length > 0 || violationsWithout.length > 0) process.exitCode = 1;
