import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { readCommandLine } from '../bin/command-line.ts';
import { heal } from './heal.ts';
import { addReport, emptyReport, type Report } from './report.ts';
import { runSeed } from './seed.ts';
import { shrink } from './shrink.ts';

const USAGE = `Runs the production code through histories of crashes, duplicates, delays and lost answers, each drawn from a seed.

  npm run sim -- [--seeds N] [--from SEED] [--json]   runs N seeds (1000), on all cores
  npm run sim -- --seed N                             runs one seed
  npm run sim -- --seed N --history                   and prints what happened in it
  npm run sim -- --seed N --replay                    and prints the shortest history that shows what it violates
  npm run sim -- --heal [--json]                      only measures the time to heal after a crash of each function`;

const { values, wholeNumber } = readCommandLine(USAGE, {
  seeds: { type: 'string' },
  from: { type: 'string' },
  seed: { type: 'string' },
  history: { type: 'boolean', default: false },
  replay: { type: 'boolean', default: false },
  heal: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});

async function runShares(from: number, seeds: number): Promise<Report> {
  const by = Math.max(1, Math.min(seeds, availableParallelism()));
  const report = emptyReport();
  await Promise.all(
    Array.from({ length: by }, (_, n) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { from: from + n, to: from + seeds - 1, by } });
      return new Promise<void>((resolve, reject) => {
        worker.on('message', (message: { report?: Report }) => message.report && addReport(report, message.report));
        worker.on('error', reject);
        worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      });
    }),
  );
  report.failures.sort((a, b) => a.seed - b.seed);
  return report;
}

async function explain(seed: number): Promise<void> {
  const { chosen } = await runSeed(seed);
  const { violations, history, chosen: left, runs } = await shrink(chosen);
  console.log(`seed ${seed}: the shortest history that shows it (${left.size} of ${chosen.size} choices are left after ${runs} runs)\n`);
  for (const line of history) console.log(line);
  console.log('');
  for (const { kind, what } of violations) console.log(`${kind}: ${what}`);
  console.log(`\nnpm run sim -- --seed ${seed} --replay`);
}

async function runOneSeed(seed: number): Promise<boolean> {
  const { violations, tasks, steps, history } = await runSeed(seed, { history: values.history });
  for (const line of history) console.log(line);
  for (const { kind, what } of violations) console.log(`${kind}: ${what}`);
  console.log(`seed ${seed}: ${tasks} tasks, ${steps} steps, ${violations.length} violations`);
  if (values.replay && violations.length > 0) await explain(seed);
  return violations.length === 0;
}

async function runMany(): Promise<boolean> {
  const began = performance.now();
  const shares = runShares(wholeNumber('from', 1), wholeNumber('seeds', 1_000));
  const [report, healed] = await Promise.all([shares, heal()]);
  report.seconds = Math.round((performance.now() - began) / 100) / 10;
  if (values.json) console.log(JSON.stringify({ ...report, heal: healed }));
  else {
    const { byKind, byState, seen, failures, ...sums } = report;
    console.table([sums]);
    console.table(byKind);
    console.table(byState);
    console.table(seen);
    console.table(healed);
    for (const { seed, violations } of failures) console.log(`seed ${seed}: ${violations[0]?.kind}: ${violations[0]?.what}`);
    const [first] = failures;
    if (first) await explain(first.seed);
  }
  return report.violations === 0;
}

async function main(): Promise<boolean> {
  if (values.heal) {
    const healed = await heal();
    if (values.json) console.log(JSON.stringify({ heal: healed }));
    else console.table(healed);
    return true;
  }
  return values.seed === undefined ? runMany() : runOneSeed(wholeNumber('seed', 1));
}

process.exitCode = (await main()) ? 0 : 1;
