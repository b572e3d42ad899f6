import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENV_SCHEMAS, type FunctionName } from '@sluice/contracts';
import Table from 'cli-table3';
import { readCommandLine } from '../bin/command-line.ts';
import { bundle } from '../lib/functions/bundle.ts';
import { runtimeEnv } from '../lib/functions/constants.ts';
import { bareFunction } from './bundle/bare.ts';

const USAGE = `Measures the size of each function's bundle, made as the CDK app makes it, and its cold start: a process that loads the
bundle and ends, without a call of the network. It is told as a ratio to the cold start of a bare function, which makes the
SDK's own clients of the same services and nothing else. Both run in turns, and each pair gives a ratio; what is told is
the median.

  npm run bench:bundle -- [--pairs N] [--json]

  --pairs  how many of a function that has limits, of which the others have a third; 15 without it
  --json   prints the numbers as JSON`;

const { values: options, wholeNumber } = readCommandLine(USAGE, { json: { type: 'boolean' }, pairs: { type: 'string' } });
const pairs = wholeNumber('pairs', 15);

const ROOT = join(import.meta.dirname, '..');
const LIMITS: Partial<Record<FunctionName, { readonly kilobytes: number; readonly coldStartRatio: number }>> = {
  submit: { kilobytes: 300, coldStartRatio: 1.6 },
};

/** Values for variables of `ENV_SCHEMAS` that an URL doesn't do for. */
const ENV_VALUES: Record<string, string> = {
  SLUICE_SHARDS: '4',
  SLUICE_SHARDS_PER_TENANT: '2',
  SLUICE_LIST_INDEX: 'on',
  SLUICE_NOTIFY: '{"queues":{},"ports":[443],"hosts":[]}',
  SLUICE_WEBHOOK_CA: 'none',
  SLUICE_ADMISSION: '{}',
  SLUICE_DEDICATED:
    '{"queueArnPrefix":"q","functionArn":"f","deadLetterArn":"d","maxReceives":1,"visibilitySeconds":1,"retentionSeconds":1,"batchSize":1,"tags":{}}',
  SLUICE_ROUTING: '{"maxDedicated":1,"busyDepth":1,"promoteAfterMs":1,"demoteAfterMs":1}',
};

interface Measured {
  /** 1000 bytes of code, in all files of the bundle but its source map. */
  readonly kilobytes: number;
  readonly bareKilobytes: number;
  readonly coldStartRatio: number;
  /** Medians of whole processes. */
  readonly coldStartMs: number;
  readonly bareColdStartMs: number;
}

// Inside of node_modules, so that bare functions find the SDK.
const cache = join(ROOT, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const scratch = mkdtempSync(join(cache, 'sluice-bundle-'));
try {
  const names = Object.keys(ENV_SCHEMAS) as FunctionName[];
  const functions = Object.fromEntries(names.map((name) => [name, measure(name)])) as Record<FunctionName, Measured>;
  if (options.json) console.log(JSON.stringify({ functions, limits: LIMITS, pairs }));
  else report(functions);
  process.exitCode = names.every((name) => isWithin(name, functions[name])) ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true });
}

function measure(name: FunctionName): Measured {
  const folder = join(scratch, name);
  const bareFolder = join(scratch, `bare-${name}`);
  bundle(join(ROOT, 'functions', name, 'index.ts'), folder, { slimClients: true });
  mkdirSync(bareFolder);
  const bareEntry = join(scratch, `bare-${name}.js`);
  writeFileSync(bareEntry, bareFunction(name));
  bundle(bareEntry, bareFolder);

  const env = { ...runtimeEnv('bench'), ...envOf(name) };
  const start = (of: string): number => {
    const before = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [join(of, 'index.mjs')], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name} does not start: ${stderr}`);
    return performance.now() - before;
  };

  // The first ones find nothing in the caches of the file system.
  start(folder);
  start(bareFolder);
  const runs = Array.from({ length: LIMITS[name] ? pairs : Math.ceil(pairs / 3) }, (_, n) => {
    if (n % 2 === 0) return { own: start(folder), bare: start(bareFolder) };
    const bare = start(bareFolder);
    return { own: start(folder), bare };
  });
  return {
    kilobytes: kilobytesOf(folder),
    bareKilobytes: kilobytesOf(bareFolder),
    coldStartRatio: rounded(median(runs.map(({ own, bare }) => own / bare)), 100),
    coldStartMs: rounded(median(runs.map(({ own }) => own)), 1),
    bareColdStartMs: rounded(median(runs.map(({ bare }) => bare)), 1),
  };
}

function envOf(name: FunctionName): Record<string, string> {
  const own = Object.keys(ENV_SCHEMAS[name].shape).map((variable) => [variable, ENV_VALUES[variable] ?? 'http://127.0.0.1:9/x']);
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_LAMBDA_FUNCTION_NAME: name,
  };
}

function kilobytesOf(folder: string): number {
  const code = readdirSync(folder).filter((file) => file.endsWith('.mjs'));
  return rounded(code.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0) / 1000, 10);
}

function median(of: readonly number[]): number {
  return [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)] ?? NaN;
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

function isWithin(name: FunctionName, { kilobytes, coldStartRatio }: Measured): boolean {
  const limit = LIMITS[name];
  return !limit || (kilobytes <= limit.kilobytes && coldStartRatio <= limit.coldStartRatio);
}

function report(functions: Record<FunctionName, Measured>): void {
  const table = new Table({
    head: ['function', 'kilobytes', 'bare kilobytes', 'cold start ms', 'bare ms', 'coldStartRatio', 'limits'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'left'],
    style: { head: [], border: [] },
  });
  for (const [name, of] of Object.entries(functions) as [FunctionName, Measured][]) {
    const limit = LIMITS[name];
    const told = limit ? `${limit.kilobytes} kilobytes, ratio ${limit.coldStartRatio}: ${isWithin(name, of) ? 'kept' : 'broken'}` : '';
    table.push([name, of.kilobytes, of.bareKilobytes, of.coldStartMs, of.bareColdStartMs, of.coldStartRatio.toFixed(2), told]);
  }
  console.log(table.toString());
}
