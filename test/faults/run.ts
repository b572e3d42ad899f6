import Table from 'cli-table3';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCommandLine } from '../../bin/command-line.ts';
import { EXERCISES } from './exercises/index.ts';
import type { Exercise } from './exercises/exercise.ts';
import { planRuns, type PlannedRun, type Recording } from './plan.ts';
import { FAULT_KINDS, type FaultKind } from './proxy/kinds.ts';
import { Runner, type RunResult } from './runner.ts';
import { nameOf, scan, type CallSite } from './sites/scan.ts';
import { faultsOfCoverage, UNREACHABLE_SITES } from './unreachable.ts';
import { audited, controlRests, drained, lettersLeft } from './world/rest.ts';
import { Ticker } from './world/ticker.ts';
import { startWorld, type World } from './world/world.ts';

const USAGE = `Makes faults at every AWS call of every function, on the embedded host, and checks that every task ends as it should.

  npm run test:faults -- [--only TEXT] [--exercise TEXT] [--kind KIND] [--every] [--thorough] [--turn N] [--list] [--log FILE] [--json]

  --only      faults at call sites alone whose name has this in it; given again, or that
  --exercise  exercises alone whose name has this in it, or one of these; whether they come to every call site is not looked at
  --kind      faults of this kind alone: ${FAULT_KINDS.join(', ')}
  --every     every kind of fault at each call site, which takes more than twice as long as without it
  --thorough  each kind of fault in each exercise that comes to its call site, which takes hours
  --turn      a sample: one kind of fault at each call site, other ones with another N, and a kill of each function
  --list      makes no faults: names each call site with the exercises that come to it
  --log       writes what the functions said into a file
  --json      prints the numbers as one JSON object on the last line`;

const ROOT = join(import.meta.dirname, '..', '..');
/** ms between two ticks, for which there is a minute: what one that fails leaves, the next makes up for. */
const TICK_MS = 1_000;
/** The same for control, and its rounds that run at once: one that finds a queue busy looks again and again. */
const CONTROL_MS = 2_000;
const CONTROL_ROUNDS = 2;

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const texts = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean' } as const;
  const { values, wholeNumber, refuse } = readCommandLine(USAGE, {
    only: texts,
    exercise: texts,
    kind: text,
    every: flag,
    thorough: flag,
    turn: text,
    list: flag,
    log: text,
    json: flag,
  });
  const kinds = kindsWanted(values, refuse);
  const turn = values.turn === undefined ? undefined : wholeNumber('turn', 0, 0);
  const exercises = EXERCISES.filter(({ name }) => isAmong(name, values.exercise));
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 100) / 10;
  const say = (what: string): void => console.error(`${seconds().toFixed(1).padStart(6)} s  ${what}`);
  const scanned = scan(ROOT);
  say(`${scanned.sites.length} call sites in the sources`);
  const log = values.log === undefined ? undefined : createWriteStream(values.log);
  const world = await startWorld(ROOT, scanned, (entry) => log?.write(`${JSON.stringify({ at: seconds(), ...entry })}\n`));
  const ticker = new Ticker(world);
  let progress: NodeJS.Timeout | undefined;
  try {
    ticker.start('timers', TICK_MS);
    ticker.start('control', CONTROL_MS, CONTROL_ROUNDS);
    const runner = new Runner(world);
    const broken: string[] = [];
    const results: RunResult[] = [];
    let all = 0;
    progress = setInterval(() => {
      const failed = results.filter(({ error }) => error).length;
      say(`${results.length} of ${all} runs, ${failed} failed; the oldest at work ${runner.oldest}`);
    }, 15_000);
    const failedWithout = (exercise: Exercise, error: string): void => {
      say(`without a fault, ${exercise.name}: ${error}`);
      broken.push(`without a fault, ${exercise.name}: ${error}`);
    };
    // What takes a lease runs beside all else; its call sites are those of the others.
    const isShort = values.list === true || turn !== undefined;
    const slow = runner.record(isShort ? [] : exercises.filter((exercise) => exercise.slow), failedWithout);
    const recordings = await runner.record(
      exercises.filter((exercise) => !exercise.slow),
      failedWithout,
    );
    const isWhole = values.exercise === undefined;
    const coverage = isWhole ? faultsOfCoverage(scanned.sites, world.sightings.sites) : [];
    say(`${world.sightings.sites.size} call sites were seen by ${recordings.length} exercises`);
    if (values.list) {
      list(scanned.sites, recordings);
      for (const problem of coverage) console.error(problem);
      return coverage.length + broken.length === 0 ? 0 : 1;
    }
    const isWanted = ({ site }: PlannedRun): boolean => isAmong(nameOf(site), values.only);
    const planned = planRuns(scanned.sites, recordings, { kinds, everyPlace: values.thorough ?? false, turn });
    const covered = new Set(planned.map(({ site }) => nameOf(site)));
    const missed = [...world.sightings.sites].filter((name) => isWhole && !covered.has(name));
    coverage.push(...missed.map((name) => `no fault can be made at ${name}`));
    const runs = planned.filter(isWanted);
    for (const problem of coverage) console.error(problem);
    all = runs.length;
    await runner.run(runs, (result) => {
      results.push(result);
      if (result.error !== undefined) tellFailure(result);
    });
    await slow;
    say(`${results.length} runs are done; the last messages and leases are waited for`);
    const rest = await restOf(world);
    const untagged = [...world.sightings.untagged].map((call) => `a call that is not in the sources: ${call}`);
    const problems = [...coverage, ...broken, ...rest, ...untagged];
    for (const problem of problems.slice(coverage.length)) console.error(problem);
    const failed = results.filter(({ error }) => error !== undefined);
    const report = {
      callSites: scanned.sites.length,
      reached: new Set(runs.map(({ site }) => nameOf(site))).size,
      exercises: exercises.length,
      runs: results.length,
      failed: failed.length + problems.length,
      seconds: Math.round(seconds()),
    };
    tell(results, report);
    if (values.json) console.log(JSON.stringify(report));
    return report.failed === 0 ? 0 : 1;
  } finally {
    clearInterval(progress);
    await ticker.close();
    await world.close();
    log?.end();
  }
}

/** Whether a name has one of the texts in it, where there are any. */
function isAmong(name: string, texts: readonly string[] | undefined): boolean {
  return texts === undefined || texts.some((each) => name.includes(each));
}

/** The kinds that were asked for; undefined where each call site has its own. One that is not known is refused. */
function kindsWanted(
  { kind, every, thorough }: { kind?: string; every?: boolean; thorough?: boolean },
  refuse: (what: string) => never,
): readonly FaultKind[] | undefined {
  if (kind === undefined) return every || thorough ? FAULT_KINDS : undefined;
  const known = FAULT_KINDS.filter((each) => each === kind);
  if (known.length === 0) refuse(`there is no kind of fault "${kind}"; there are: ${FAULT_KINDS.join(', ')}`);
  return known;
}

/** What is left when all is done: nothing. */
async function restOf(world: World): Promise<string[]> {
  const messages = await drained(world, sleep);
  return [
    ...messages,
    ...(await lettersLeft(world)),
    ...(await controlRests(world, sleep)),
    ...(await audited(world)),
    ...world.complaints.list(),
  ];
}

/** Each call site with the exercises that come to it, or why none can. */
function list(sites: readonly CallSite[], recordings: readonly Recording[]): void {
  for (const name of sites.map(nameOf)) {
    const own = recordings.filter(({ named, nameless }) => named.has(name) || nameless.has(name));
    console.log(name);
    for (const { exercise } of own) console.log(`    ${exercise.name}`);
    if (own.length === 0) console.log(`    none: ${UNREACHABLE_SITES.get(name) ?? 'it has no exercise'}`);
  }
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
