import Table from 'cli-table3';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EXERCISES } from './exercises/index.ts';
import type { Exercise } from './exercises/exercise.ts';
import { planRuns, type PlannedRun } from './plan.ts';
import { FAULT_KINDS } from './proxy/kinds.ts';
import { Runner, type RunResult } from './runner.ts';
import { nameOf, scan } from './sites/scan.ts';
import { faultsOfCoverage } from './unreachable.ts';
import { audited, drained, lettersLeft } from './world/rest.ts';
import { Ticker } from './world/ticker.ts';
import { startWorld, type World } from './world/world.ts';

const USAGE = `Makes faults at every AWS call of every function, on the embedded host, and checks that every task ends as it should.

  npm run test:faults -- [--only TEXT] [--kind KIND] [--thorough] [--log FILE] [--json]

  --only      faults at call sites alone whose name has this in it
  --kind      faults of this kind alone: ${FAULT_KINDS.join(', ')}
  --thorough  each fault in each exercise that comes to its call site, which takes hours
  --log       writes what the functions said into a file
  --json      prints the numbers as one JSON object on the last line`;

const ROOT = join(import.meta.dirname, '..', '..');
/** ms between two ticks, for which there is a minute: what one that fails leaves, the next makes up for. */
const TICK_MS = 1_000;

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({ options: { only: text, kind: text, thorough: flag, log: text, json: flag, help: flag } });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 100) / 10;
  const say = (what: string): void => console.error(`${seconds().toFixed(1).padStart(6)} s  ${what}`);
  const scanned = scan(ROOT);
  say(`${scanned.sites.length} call sites in the sources`);
  const log: string[] = [];
  const world = await startWorld(
    ROOT,
    scanned,
    (entry) => values.log !== undefined && log.push(JSON.stringify({ at: seconds(), ...entry })),
  );
  const ticker = new Ticker(world);
  try {
    ticker.start('timers', TICK_MS);
    const runner = new Runner(world);
    const late: string[] = [];
    const failedWithout = (exercise: Exercise, error: string): void => {
      late.push(`without a fault, ${exercise.name}: ${error}`);
    };
    // What takes a lease runs beside all else; its call sites are those of the others.
    const slow = runner.record(
      EXERCISES.filter((exercise) => exercise.slow),
      failedWithout,
    );
    const recordings = await runner.record(
      EXERCISES.filter((exercise) => !exercise.slow),
      failedWithout,
    );
    const coverage = faultsOfCoverage(scanned.sites, world.sightings.sites);
    say(`${world.sightings.sites.size} call sites were seen by ${recordings.length} exercises`);
    const isWanted = ({ site, kind }: PlannedRun): boolean =>
      (values.only === undefined || nameOf(site).includes(values.only)) && (values.kind === undefined || kind === values.kind);
    const planned = planRuns(scanned.sites, recordings, values.thorough ?? false);
    const covered = new Set(planned.map(({ site }) => nameOf(site)));
    coverage.push(...[...world.sightings.sites].filter((name) => !covered.has(name)).map((name) => `no fault can be made at ${name}`));
    const runs = planned.filter(isWanted);
    for (const problem of coverage) console.error(problem);
    const results: RunResult[] = [];
    const timer = setInterval(
      () => say(`${results.length} of ${runs.length} runs, ${results.filter(({ error }) => error).length} failed`),
      15_000,
    );
    try {
      await runner.run(runs, (result) => {
        results.push(result);
        if (result.error !== undefined) tellFailure(result);
      });
    } finally {
      clearInterval(timer);
    }
    say(`${results.length} runs are done`);
    await slow;
    const rest = await restOf(world);
    const untagged = [...world.sightings.untagged].map((call) => `a call that is not in the sources: ${call}`);
    const problems = [...coverage, ...late, ...rest, ...untagged];
    for (const problem of problems.slice(coverage.length)) console.error(problem);
    const failed = results.filter(({ error }) => error !== undefined);
    const report = {
      callSites: scanned.sites.length,
      reached: new Set(runs.map(({ site }) => nameOf(site))).size,
      exercises: EXERCISES.length,
      runs: results.length,
      failed: failed.length + problems.length,
      seconds: Math.round(seconds()),
    };
    tell(results, report);
    if (values.json) console.log(JSON.stringify(report));
    return report.failed === 0 ? 0 : 1;
  } finally {
    await ticker.close();
    await world.close();
    if (values.log !== undefined) writeFileSync(values.log, log.join('\n'));
  }
}

/** What is left when all is done: nothing. */
async function restOf(world: World): Promise<string[]> {
  const messages = await drained(world, sleep);
  return [...messages, ...(await lettersLeft(world)), ...(await audited(world))];
}

function tellFailure({ run, error, seconds }: RunResult): void {
  console.error(`FAILED ${run.kind} at ${nameOf(run.site)}\n       after ${seconds} s: ${error}`);
}

function tell(results: readonly RunResult[], report: object): void {
  const table = new Table({
    head: ['fault', 'runs', 'failed', 'median s', 'longest s'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
  });
  for (const kind of FAULT_KINDS) {
    const own = results.filter(({ run }) => run.kind === kind);
    if (own.length === 0) continue;
    const times = own.map(({ seconds }) => seconds).sort((a, b) => a - b);
    table.push([kind, own.length, own.filter(({ error }) => error).length, times[Math.floor(times.length / 2)] ?? 0, times.at(-1) ?? 0]);
  }
  console.log(table.toString());
  console.log(
    Object.entries(report)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  );
}

process.exitCode = await main();
