import { SluiceClient } from '@sluice/client';
import Table from 'cli-table3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readBatch } from '../adapters/aws/batch-get.ts';
import { createClients } from '../adapters/aws/clients.ts';
import { ROW_SORT, taskPartition } from '../adapters/aws/keys.ts';
import { rowOfItem } from '../adapters/aws/task-item.ts';
import { createTokenStore } from '../adapters/aws/token-store.ts';
import { systemClock as clock, systemRandom, systemTokens } from '../adapters/system.ts';
import { readCommandLine } from '../bin/command-line.ts';
import { issueToken } from '../core/auth/token.ts';
import { startHost } from '../local/host.ts';
import { measureCosts } from './cost/measure.ts';
import { barePath, Runs, sluicePath, type Path } from './path/paths.ts';
import { synthesisePath } from './path/stack.ts';

const USAGE = `Measures the whole path of a task on the embedded host, from the call of the client to the settled row, against a bare SQS
queue in front of the same function on the same host, in one run. Rounds are interleaved and each ratio is one of a
round, so that a busy machine slows both.

  npm run bench:path -- [--json]

  --json  prints the numbers as JSON on the last line`;

const { values: options } = readCommandLine(USAGE, { json: { type: 'boolean' } });
const WARM_UP = 500;
const WARM_UPS = 3;
const ROUNDS = 5;
const TASKS = 500;
/** Tasks one after the other, each when the one before has ended: the latency of an idle platform. */
const SINGLES = 40;
const TENANT = 'acme';
/** Ratios of tasks a second, ours over bare, at the least. */
const LEAST = { event: 0.3, wait: 0.4 };

const folder = mkdtempSync(join(tmpdir(), 'sluice-path-'));
const runs = new Runs(join(folder, 'runs'));
synthesisePath(join(folder, 'cdk.out'), join(folder, 'runs'));
const host = await startHost({ assembly: join(folder, 'cdk.out'), concurrency: 1_000 });
const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '', AWS_REGION: region = '' } = host.clientEnv();
const aws = createClients({
  region,
  credentials: { accessKeyId, secretAccessKey },
  dynamodbEndpoint: host.endpoints.dynamodb,
  sqsEndpoint: host.endpoints.sqs,
});
try {
  const table = host.outputs['TableName'] ?? '';
  const tokens = createTokenStore(aws.dynamodb, { table });
  const { token } = await issueToken({ tokens, clock, ...systemTokens }, { tenant: TENANT, scopes: ['submit', 'read'] });
  const client = new SluiceClient({ baseUrl: host.url, token });
  const rowsOf = async (ids: readonly string[]) => {
    const keys = ids.map((id) => ({ p: taskPartition(TENANT, id), s: ROW_SORT }));
    return (await readBatch(aws.dynamodb, 'read tasks', table, systemRandom, keys)).map(rowOfItem);
  };
  const paths = [
    barePath(aws.sqs, host.outputs['BareQueueUrl'] ?? ''),
    sluicePath('event', client, rowsOf),
    sluicePath('wait', client, rowsOf),
  ];
  for (let round = 0; round < WARM_UPS; round++) for (const path of paths) await throughput(path, `warm${round}`, WARM_UP);
  const rates: Record<Path['name'], number[]> = { bare: [], event: [], wait: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const path of paths) rates[path.name].push(await throughput(path, `round${round}`, TASKS));
  }
  const latencies = Object.fromEntries(await latencyOf(paths));
  await report(rates, latencies);
} finally {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Tasks a second from the first call to the last end. */
async function throughput(path: Path, round: string, count: number): Promise<number> {
  const ids = Array.from({ length: count }, (_, n) => `${path.name}-${round}-${n}`);
  const from = performance.timeOrigin + performance.now();
  await path.submitMany(ids);
  const began = await runs.of(ids, 50);
  const ended = await path.ended(ids, Math.max(...began));
  return (count * 1_000) / (ended - from);
}

interface Latency {
  readonly submitMs: number;
  readonly startMs: number;
}

/** Medians, ms: of the call that submits, and from before it to the handler's first line. */
async function latencyOf(paths: readonly Path[]): Promise<(readonly [string, Latency])[]> {
  const seen = new Map(paths.map(({ name }) => [name, { submit: [] as number[], start: [] as number[] }]));
  for (let n = 0; n < SINGLES; n++) {
    for (const path of paths) {
      const id = `${path.name}-single-${n}`;
      const from = performance.timeOrigin + performance.now();
      await path.submit(id);
      seen.get(path.name)?.submit.push(performance.timeOrigin + performance.now() - from);
      const [began = 0] = await runs.of([id], 5);
      seen.get(path.name)?.start.push(began - from);
      await path.ended([id], began);
    }
  }
  return [...seen].map(([name, { submit, start }]) => [name, { submitMs: median(submit), startMs: median(start) }]);
}

async function report(rates: Record<Path['name'], number[]>, latencies: Record<string, Latency>): Promise<void> {
  const ratio = (name: 'event' | 'wait') => median(rates[name].map((rate, round) => rate / (rates.bare[round] ?? rate)));
  const costs = (await measureCosts()).filter(({ listIndex }) => listIndex);
  const byFunction = (what: 'calls' | 'writeUnits') =>
    Object.fromEntries(
      costs.map(({ mode, costs: { submit, dispatch, settle } }) => [
        mode,
        { submit: round2(submit[what]), dispatch: round2(dispatch[what]), settle: round2(settle[what]) },
      ]),
    );
  const numbers = {
    eventRatio: round2(ratio('event')),
    waitRatio: round2(ratio('wait')),
    tasksPerSecond: mapped(rates, (all) => Math.round(median(all))),
    submitP50Ms: mapped(latencies, ({ submitMs }) => Math.round(submitMs)),
    startP50Ms: { event: Math.round(latencies['event']?.startMs ?? 0), wait: Math.round(latencies['wait']?.startMs ?? 0) },
    bareStartP50Ms: Math.round(latencies['bare']?.startMs ?? 0),
    callsPerTask: byFunction('calls'),
    writeUnitsPerTask: byFunction('writeUnits'),
  };
  const table = new Table({ head: ['', 'bare', 'event', 'wait'], style: { head: [], border: [] } });
  table.push(
    ['tasks/s', ...['bare', 'event', 'wait'].map((name) => numbers.tasksPerSecond[name])],
    ['of bare', '', `${numbers.eventRatio} (≥ ${LEAST.event})`, `${numbers.waitRatio} (≥ ${LEAST.wait})`],
    ['submit, p50 ms', ...['bare', 'event', 'wait'].map((name) => numbers.submitP50Ms[name])],
    ['call to start, p50 ms', numbers.bareStartP50Ms, numbers.startP50Ms.event, numbers.startP50Ms.wait],
  );
  console.log(table.toString());
  if (options.json) console.log(JSON.stringify(numbers));
  process.exitCode = numbers.eventRatio >= LEAST.event && numbers.waitRatio >= LEAST.wait ? 0 : 1;
}

function mapped<T, R>(of: Record<string, T>, to: (value: T) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(of).map(([name, value]) => [name, to(value)]));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
