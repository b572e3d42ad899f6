import Table from 'cli-table3';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCommandLine } from '../../bin/command-line.ts';
import type { Deployment } from '../e2e/deployment.ts';
import { contextOf, makeOutside } from '../e2e/embedded.ts';
import { cdkFor } from './cdk.ts';
import { CREDENTIALS, REGION, startMiniStack, type MiniStack } from './ministack.ts';
import { allowedIn, countsOf, faultsOf, refusalsIn, type Report } from './report.ts';
import { SKIPPED } from './skipped.ts';
import { ensureVenv, SetupError } from './venv.ts';

const USAGE = `Deploys the app into MiniStack with the stock CDK CLI, over TLS and with IAM enforced, and runs the end-to-end suite on it.

  npm run test:deploy -- [--json] [--keep]

  --json  prints the numbers as one JSON object on the last line
  --keep  keeps the folder with all logs, also of a run that succeeds`;

const ROOT = join(import.meta.dirname, '..', '..');

async function main(): Promise<number> {
  const { values } = readCommandLine(USAGE, { json: { type: 'boolean' }, keep: { type: 'boolean' } });
  const folder = mkdtempSync(join(tmpdir(), 'sluice-deploy-'));
  let keep = true;
  try {
    say('preparing MiniStack');
    const python = await ensureVenv(join(ROOT, '.venv'));
    const ministack = await startMiniStack(python, folder);
    const interruption = interruptible();
    try {
      const { report, refused } = await deployAndTest(ministack, folder, interruption);
      const ok = tell(report, refused);
      keep = !ok;
      if (values.json) console.log(JSON.stringify(report));
      return ok ? 0 : 1;
    } catch (error) {
      if (!interruption.aborted) throw error;
      keep = false;
      return 130;
    } finally {
      await ministack.stop();
    }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    if (keep || values.keep) console.error(`logs are in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

interface Run {
  readonly report: Report;
  readonly refused: readonly string[];
}

/** Aborted by Ctrl-C, which then ends what runs for us before it ends us. */
function interruptible(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

async function deployAndTest(ministack: MiniStack, folder: string, signal: AbortSignal): Promise<Run> {
  const outside = await makeOutside(folder);
  const cdk = cdkFor(ministack, folder, contextOf(outside), signal);
  const [, bootstrapSeconds] = await timed('cdk bootstrap', cdk.bootstrap);
  const [outputs, deploySeconds] = await timed('cdk deploy', cdk.deploy);
  const { endpoint } = ministack;
  const deployment: Deployment = {
    name: 'ministack',
    url: reachable(outputs['ApiUrl'] ?? '', endpoint),
    outputs,
    region: REGION,
    credentials: CREDENTIALS,
    endpoints: { dynamodb: endpoint, sqs: endpoint, s3: endpoint, lambda: endpoint, eventbridge: endpoint },
    smtpPort: outside.smtpPort,
    reportsPort: outside.reportsPort,
    certificate: outside.certificate,
    skip: SKIPPED,
  };
  const results = join(folder, 'results.json');
  const [, suiteSeconds] = await timed('end-to-end suite', () => runSuite(deployment, ministack, folder, results, signal));
  // Before the stack is deleted: a function that is at work then loses its role's policy first.
  const refused = refusalsIn(ministack.log);
  const allowed = allowedIn(ministack.log);
  const [, destroySeconds] = await timed('cdk destroy', async () => {
    await emptyBuckets(outputs, ministack);
    await cdk.destroy();
  });
  const seconds = { bootstrapSeconds, deploySeconds, suiteSeconds, destroySeconds };
  return { report: { ...countsOf(results), denied: refused.length, allowed, ...seconds }, refused };
}

/** Names under `execute-api.localhost` are resolved by browsers only; MiniStack answers for the API under a path too. */
function reachable(apiUrl: string, endpoint: string): string {
  const [, id] = /^https:\/\/([a-z0-9]+)\.execute-api\./.exec(apiUrl) ?? [];
  if (id === undefined) throw new SetupError(`the stack's output ApiUrl is "${apiUrl}", which is no HTTP API`);
  return `${endpoint}/_aws/execute-api/${id}/$default`;
}

/** Failed tests are in the results; only a suite that does not run at all leaves none. */
async function runSuite(
  deployment: Deployment,
  { clientEnv }: MiniStack,
  folder: string,
  results: string,
  signal: AbortSignal,
): Promise<void> {
  const target = join(folder, 'target.json');
  writeFileSync(target, JSON.stringify(deployment));
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const config = join(ROOT, 'test', 'e2e', 'vitest.config.ts');
  // MiniStack runs each environment as a process and is itself one thread: a crowd only makes it slow.
  const args = [
    'run',
    '--config',
    config,
    '--maxWorkers=2',
    '--maxConcurrency=5',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
  ];
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...clientEnv, SLUICE_E2E_TARGET: target },
    signal,
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
}

/** CloudFormation deletes no bucket that has something in it. */
async function emptyBuckets(outputs: Readonly<Record<string, string>>, { endpoint, clientEnv }: MiniStack): Promise<void> {
  const script = join(import.meta.dirname, 'empty-buckets.ts');
  const buckets = Object.entries(outputs).flatMap(([name, value]) => (/Bucket(Name)?$/.test(name) ? [value] : []));
  const child = spawn(process.execPath, [script, endpoint, ...buckets], {
    stdio: 'inherit',
    env: { ...process.env, ...clientEnv },
  });
  await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
}

async function timed<T>(what: string, run: () => Promise<T>): Promise<[T, number]> {
  say(what);
  const began = performance.now();
  const result = await run();
  return [result, Math.round((performance.now() - began) / 100) / 10];
}

function say(what: string): void {
  console.error(`· ${what}`);
}

/** @returns whether the run is a success */
function tell(report: Report, refused: readonly string[]): boolean {
  const table = new Table({ head: ['deployed on MiniStack', ''] });
  const { tests, passed, skipped, failed, denied, allowed } = report;
  table.push(['tests', tests], ['passed', passed], ['failed', failed.length], ['skipped', skipped.length]);
  table.push(['calls that IAM refused', denied], ['actions of roles that it allowed', allowed]);
  table.push(['cdk bootstrap, s', report.bootstrapSeconds], ['cdk deploy, s', report.deploySeconds]);
  table.push(['suite, s', report.suiteSeconds], ['cdk destroy, s', report.destroySeconds]);
  console.log(table.toString());
  for (const title of skipped) console.log(`skipped: ${title}`);
  for (const call of new Set(refused)) console.log(`refused: ${call}`);
  const faults = faultsOf(report);
  for (const fault of faults) console.error(fault);
  return faults.length === 0;
}

process.exitCode = await main();
