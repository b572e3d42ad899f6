import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMet, type Result } from './report/result.ts';
import { summary, text, writeResult } from './report/write.ts';
import { SCENARIOS } from './scenarios.ts';

const USAGE = `npm run sim:scenarios -- [NAME …] [--json] [--quick] [--seed N] [--out FOLDER]
runs scenarios (all), writes a page and a plot of each into docs/results, and says what they come to.
--quick  smaller ones, which are not written unless --out says where to`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<boolean> {
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 1) throw new Error(`--seed is a whole number above 0, not ${values.seed}`);
  const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  const folder = values.out ?? (values.quick ? undefined : join(import.meta.dirname, '..', '..', 'docs', 'results'));
  const chosen = SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const results: ReturnType<typeof summary>[] = [];
  for (const scenario of chosen) {
    const began = performance.now();
    const result = scenario.run({ seed, quick: values.quick });
    if (folder) await writeResult(folder, result);
    results.push(summary(result));
    if (!values.json) print(result, (performance.now() - began) / 1000);
  }
  if (values.json) console.log(JSON.stringify(results.length === 1 ? results[0] : results));
  return results.every(({ goals }) => goals.every(({ met }) => met));
}

function print(result: Result, seconds: number): void {
  const { name, ways, columns, goals, tasks } = result;
  console.log(`\n${name}: ${tasks.toLocaleString('en')} tasks in ${seconds.toFixed(1)} s, ${Math.round(tasks / seconds).toLocaleString('en')} a second`);
  console.table(Object.fromEntries(ways.map((way) => [way.name, Object.fromEntries(columns.map(({ field, label }) => [label, text(way.numbers[field])]))])));
  for (const goal of goals) console.log(`${isMet(goal) ? 'met   ' : 'MISSED'} ${goal.what}: ${text(goal.value)} ${goal.is} ${text(goal.bound)}`);
}

// What is missed is told, and is no failure of the run.
await main();
