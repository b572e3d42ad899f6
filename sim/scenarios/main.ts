import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandLine } from '../../bin/command-line.ts';
import { indexPage } from './report/index-page.ts';
import { surprises } from './known-misses.ts';
import { isMet, type Result } from './report/result.ts';
import { summary, text, writeResult } from './report/write.ts';
import { measureScale } from './scale.ts';
import { SCENARIOS } from './scenarios.ts';

const USAGE = `Runs scenarios, all unless some are named, writes a page and a plot of each into docs/results, and says what they come to.

  npm run sim:scenarios -- [NAME …] [--quick] [--check] [--scale] [--seed N] [--out FOLDER] [--json]

  --quick  smaller ones, which are not written unless --out says where to
  --check  writes nothing unless --out says where to, and ends with 1 when a goal is missed that is not known to be, or a known
           miss (sim/scenarios/known-misses.ts, of seed 1) is met
  --scale  only measures the simulation itself: tasks a second, and the memory of a million live tasks
  --seed   what is drawn by chance is drawn from it; 1 without it
  --out    writes the pages there
  --json   prints the numbers as JSON`;

const options = {
  json: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  seed: { type: 'string' },
  out: { type: 'string' },
  scale: { type: 'boolean', default: false },
} as const;
const { values, positionals, wholeNumber, refuse } = readCommandLine(USAGE, options, { allowPositionals: true });

async function main(): Promise<void> {
  const seed = wholeNumber('seed', 1);
  if (values.scale) {
    const measured = measureScale(seed);
    if (values.json) console.log(JSON.stringify(measured));
    else console.table([measured]);
    // Of real time: a busy machine is slower.
    if (measured.mostLive < 1_000_000) throw new Error('fewer than a million tasks were live at once');
    return;
  }
  const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) refuse(`no scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  const folder = values.out ?? (values.quick || values.check ? undefined : join(import.meta.dirname, '..', '..', 'docs', 'results'));
  const chosen = SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results: ReturnType<typeof summary>[] = [];
  const wrong: string[] = [];
  for (const scenario of chosen) {
    const began = performance.now();
    const result = scenario.run({ seed, quick: values.quick });
    if (folder) await writeResult(folder, result);
    results.push(summary(result));
    if (values.check) wrong.push(...surprises(result, values.quick));
    if (!values.json) print(result, (performance.now() - began) / 1000);
  }
  if (folder && positionals.length === 0) writeFileSync(join(folder, 'README.md'), indexPage(SCENARIOS));
  if (values.json) console.log(JSON.stringify(results.length === 1 ? results[0] : results));
  for (const what of wrong) console.error(what);
  if (wrong.length > 0) process.exitCode = 1;
}

function print(result: Result, seconds: number): void {
  const { name, ways, columns, goals, tasks } = result;
  console.log(
    `\n${name}: ${tasks.toLocaleString('en')} tasks in ${seconds.toFixed(1)} s, ${Math.round(tasks / seconds).toLocaleString('en')} a second`,
  );
  console.table(
    Object.fromEntries(
      ways.map((way) => [way.name, Object.fromEntries(columns.map(({ field, label }) => [label, text(way.numbers[field])]))]),
    ),
  );
  for (const goal of goals)
    console.log(`${isMet(goal) ? 'met   ' : 'MISSED'} ${goal.what}: ${text(goal.value)} ${goal.is} ${text(goal.bound)}`);
}

// What is missed is told, and is no failure of the run but with --check.
await main();
