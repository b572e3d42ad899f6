import { SluiceClient } from '@sluice/client';
import Table from 'cli-table3';
import { buildSync } from 'esbuild';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { promisify } from 'node:util';
import { createClients } from '../adapters/aws/clients.ts';
import { createTokenStore } from '../adapters/aws/token-store.ts';
import { systemClock as clock, systemTokens } from '../adapters/system.ts';
import { readCommandLine } from '../bin/command-line.ts';
import { issueToken } from '../core/auth/token.ts';
import { startHost } from '../local/host.ts';
import { localContext, synthesise } from '../local/synth.ts';

const USAGE = `Asks two questions about submitting many tasks. How much faster is it in batches than one by one? Measured on the embedded
host, in interleaved rounds, so that a busy machine slows all alike. And how much memory does a stream of a million
take? Measured at a process of its own, bundled as a program ships it, that talks to a server which keeps nothing.

  npm run bench:submit -- [--json]

  --json  prints the numbers as JSON on the last line`;

const { values: options } = readCommandLine(USAGE, { json: { type: 'boolean' } });
const ROUNDS = 3;
const TASKS = { 'one by one': 60, 'submit() at once': 1_000, submitMany: 1_000 };
type Way = keyof typeof TASKS;
const WAYS = Object.keys(TASKS) as Way[];
const STREAMED = 1_000_000;
const MOST_MB = 200;
/**
 * MB of each half of the young generation in the stream that is judged: Node 20's own. Node 24 sets it by the machine's
 * memory, up to 64, and fills both halves with garbage before it looks at it. That stream is measured too: what it has
 * more than the other says nothing of the client.
 */
const YOUNG_MB = 16;
/** Far away, so that no handler runs meanwhile. */
const DELAY_SECONDS = 30 * 86_400;

interface Streamed {
  readonly accepted: number;
  readonly last: number;
  readonly seconds: number;
  readonly peakMb: number;
  readonly afterTenthMb: number;
  readonly atEndMb: number;
}

const rates = await measureRates();
const streamed = await measureStreams();
report(rates, streamed.judged, streamed.byDefault);

/** Accepted tasks a second, of each round. */
async function measureRates(): Promise<Record<Way, number[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-submit-'));
  await synthesise({ root: join(import.meta.dirname, '..'), out: folder, context: { ...localContext(), smtpUrl: 'smtp://127.0.0.1:9' } });
  const host = await startHost({ assembly: folder });
  try {
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const aws = createClients({ region: 'us-east-1', credentials, dynamodbEndpoint: host.endpoints.dynamodb });
    const tokens = createTokenStore(aws.dynamodb, { table: host.outputs['TableName'] ?? '' });
    const { token } = await issueToken({ tokens, clock, ...systemTokens }, { tenant: 'acme', scopes: ['submit'] });
    aws.dynamodb.destroy();
    const submit: Record<Way, (ids: readonly string[]) => Promise<number>> = {
      'one by one': oneByOne(new SluiceClient({ baseUrl: host.url, token, coalesceMs: 0 })),
      'submit() at once': atOnce(new SluiceClient({ baseUrl: host.url, token })),
      submitMany: streaming(new SluiceClient({ baseUrl: host.url, token })),
    };
    const measured: Record<Way, number[]> = { 'one by one': [], 'submit() at once': [], submitMany: [] };
    // The first round starts functions and warms them up; it does not count.
    for (let round = 0; round <= ROUNDS; round++) {
      for (const way of WAYS) {
        const ids = Array.from({ length: TASKS[way] }, (_, n) => `${way.replace(/\W/g, '')}-${round}-${n}`);
        const began = performance.now();
        const accepted = await submit[way](ids);
        const seconds = (performance.now() - began) / 1_000;
        if (accepted !== ids.length) throw new Error(`${way}: ${accepted} of ${ids.length} tasks were accepted`);
        if (round > 0) measured[way].push(ids.length / seconds);
      }
    }
    return measured;
  } finally {
    await host.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function taskOf(id: string) {
  return { type: 'unruly', id, delaySeconds: DELAY_SECONDS, payload: { do: 'ok', customer: 'Ada Lovelace' } };
}

function oneByOne(client: SluiceClient) {
  return async (ids: readonly string[]) => {
    for (const id of ids) await client.submit(taskOf(id));
    return ids.length;
  };
}

function atOnce(client: SluiceClient) {
  return async (ids: readonly string[]) => (await Promise.all(ids.map((id) => client.submit(taskOf(id))))).length;
}

function streaming(client: SluiceClient) {
  return async (ids: readonly string[]) => (await client.submitMany(ids.map(taskOf))).accepted;
}

async function measureStreams(): Promise<{ judged: Streamed; byDefault: Streamed }> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-stream-'));
  const stream = join(folder, 'stream.mjs');
  const file = (name: string) => join(import.meta.dirname, 'submit', name);
  buildSync({ entryPoints: [file('stream.ts')], outfile: stream, bundle: true, platform: 'node', format: 'esm' });
  const server = spawn(process.execPath, [file('batch-server.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const { value: url = '' } = await createInterface(server.stdout)[Symbol.asyncIterator]().next();
    const run = async (...flags: string[]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [...flags, stream, url, String(STREAMED)]);
      return JSON.parse(stdout) as Streamed;
    };
    return { judged: await run(`--max-semi-space-size=${YOUNG_MB}`), byDefault: await run() };
  } finally {
    server.stdin.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(measured: Record<Way, number[]>, stream: Streamed, byDefault: Streamed): void {
  // A round's own ratio: what slowed the machine then slowed both.
  const ratioOf = (way: Way) => median(measured[way].map((rate, round) => rate / (measured['one by one'][round] ?? NaN)));
  const ways = WAYS.map((way) => ({ way, perSecond: rounded(median(measured[way])), ratio: rounded(ratioOf(way)) }));
  const table = new Table({
    head: ['submissions on the embedded host', 'a second', 'ratio'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  for (const { way, perSecond, ratio } of ways) table.push([way, perSecond, ratio]);
  console.log(table.toString());
  const numbers = {
    tasks: stream.accepted,
    seconds: rounded(stream.seconds),
    peakMb: rounded(stream.peakMb),
    mostMb: MOST_MB,
    growthMb: rounded(stream.atEndMb - stream.afterTenthMb),
    peakMbOfDefaultNode: rounded(byDefault.peakMb),
  };
  console.log(
    `a stream of ${numbers.tasks} tasks: ${numbers.seconds} s; ${numbers.peakMb} MB at its peak (at most ${MOST_MB}), which ` +
      `changed by ${numbers.growthMb} MB after its first tenth; ${numbers.peakMbOfDefaultNode} MB where Node may leave more garbage`,
  );
  if (options.json) console.log(JSON.stringify({ submissions: ways, stream: numbers }));
  const whole = [stream, byDefault].every(({ accepted, last }) => accepted === STREAMED && last === STREAMED - 1);
  if (!whole) console.log(`not all of ${STREAMED} tasks were accepted: ${stream.accepted} and ${byDefault.accepted}`);
  process.exitCode = whole && stream.peakMb <= MOST_MB ? 0 : 1;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
