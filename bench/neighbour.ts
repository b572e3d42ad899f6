import { SluiceClient } from '@sluice/client';
import type { StartMode } from '@sluice/contracts';
import Table from 'cli-table3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClients } from '../adapters/aws/clients.ts';
import { createTokenStore } from '../adapters/aws/token-store.ts';
import { systemClock as clock, systemTokens } from '../adapters/system.ts';
import { readCommandLine } from '../bin/command-line.ts';
import { issueToken } from '../core/auth/token.ts';
import { startHost } from '../local/host.ts';
import { submitFor, type Submitter } from './neighbour/load.ts';
import { synthesiseNeighbours } from './neighbour/stack.ts';
import { Runs } from './path/paths.ts';

const USAGE = `Twenty tenants on the embedded host, each with a task every two seconds, and what becomes of nineteen of them while the
twentieth floods: the time from the call that submits a task to its handler's first line, calm and flooded. Phases take
turns, so that a busy machine slows both. The flood is one that the machine can carry: more than its lane works off, and
no more than two cores can accept and put aside.

  npm run bench:neighbour -- [--start event|wait] [--phases N] [--json]

  --start   how attempts are started; event without it
  --phases  pairs of phases, 4 without it
  --json    prints the numbers as JSON on the last line`;

const { values, wholeNumber, refuse } = readCommandLine(USAGE, {
  json: { type: 'boolean' },
  start: { type: 'string', default: 'event' },
  phases: { type: 'string' },
});
const START: StartMode =
  values.start === 'wait' || values.start === 'event' ? values.start : refuse(`--start is "${values.start}"; give event or wait`);
const PAIRS = wholeNumber('phases', 4);
const TENANTS = 20;
const PHASE_MS = 20_000;
const WARM_UP_MS = 6_000;
const CALM = { everyMs: 2_000, tasks: 1 };
/** Four a second: eight times as many as each other tenant, and twice what its lane works off. */
const FLOOD = { everyMs: 1_000, tasks: 4 };
/** The p99 of the others, flooded over calm, at the most. */
const MOST = 1.5;
/** ms: with a p50 above it in calm phases the machine can't carry its own load, and the ratio says nothing of the platform. */
const CALM_P50_MS = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'sluice-neighbour-'));
const runs = new Runs(join(folder, 'runs'));
synthesiseNeighbours(join(folder, 'cdk.out'), join(folder, 'runs'), START);
const host = await startHost({ assembly: join(folder, 'cdk.out'), concurrency: 1_000 });
try {
  const clients = await connect();
  const phase = async (name: string, isFlooded: boolean, ms: number) => {
    const submitters = clients.map(({ tenant, client }, n): Submitter => ({ tenant, client, ...(isFlooded && n === 0 ? FLOOD : CALM) }));
    const waits = await submitFor(name, ms, submitters, runs);
    return { flooding: waits.get(nameOf(0)) ?? [], others: [...waits].flatMap(([tenant, all]) => (tenant === nameOf(0) ? [] : all)) };
  };
  for (const isFlooded of [false, true, true]) await phase(`warm-${isFlooded}-${performance.now()}`, isFlooded, WARM_UP_MS);
  const seen = { calm: [] as number[][], flooded: [] as number[][], flooding: [] as number[] };
  for (let pair = 0; pair < PAIRS; pair++) {
    // Whichever comes first finds the machine as the other left it: they change places.
    for (const isFlooded of pair % 2 === 0 ? [false, true] : [true, false]) {
      const { flooding, others } = await phase(`${pair}-${isFlooded ? 'flooded' : 'calm'}`, isFlooded, PHASE_MS);
      seen[isFlooded ? 'flooded' : 'calm'].push(others);
      if (isFlooded) seen.flooding.push(...flooding);
    }
  }
  report(seen);
} finally {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
}

function nameOf(n: number): string {
  return `tenant${n}`;
}

async function connect(): Promise<{ readonly tenant: string; readonly client: SluiceClient }[]> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '', AWS_REGION: region = '' } = host.clientEnv();
  const aws = createClients({ region, credentials: { accessKeyId, secretAccessKey }, dynamodbEndpoint: host.endpoints.dynamodb });
  const tokens = createTokenStore(aws.dynamodb, { table: host.outputs['TableName'] ?? '' });
  return Promise.all(
    Array.from({ length: TENANTS }, async (_, n) => {
      const { token } = await issueToken({ tokens, clock, ...systemTokens }, { tenant: nameOf(n), scopes: ['submit'] });
      return { tenant: nameOf(n), client: new SluiceClient({ baseUrl: host.url, token }) };
    }),
  );
}

function report({ calm, flooded, flooding }: { calm: number[][]; flooded: number[][]; flooding: number[] }): void {
  const ms = (all: readonly number[]) => ({ p50: Math.round(quantile(all, 0.5)), p99: Math.round(quantile(all, 0.99)), tasks: all.length });
  const pairs = calm.map((all, n) => round2(quantile(flooded[n] ?? [], 0.99) / quantile(all, 0.99)));
  const numbers = {
    start: START,
    calm: ms(calm.flat()),
    flooded: ms(flooded.flat()),
    flooding: ms(flooding),
    p99Ratio: round2(quantile(flooded.flat(), 0.99) / quantile(calm.flat(), 0.99)),
    p99RatioOfPairs: pairs,
  };
  const table = new Table({ head: ['call to start, ms', 'tasks', 'p50', 'p99'], style: { head: [], border: [] } });
  table.push(
    ['the nineteen, calm', numbers.calm.tasks, numbers.calm.p50, numbers.calm.p99],
    ['the nineteen, flooded', numbers.flooded.tasks, numbers.flooded.p50, numbers.flooded.p99],
    ['the one that floods', numbers.flooding.tasks, numbers.flooding.p50, numbers.flooding.p99],
    ['p99, flooded over calm', '', '', `${numbers.p99Ratio} (≤ ${MOST})`],
  );
  console.log(table.toString());
  if (values.json) console.log(JSON.stringify(numbers));
  if (numbers.calm.p50 > CALM_P50_MS)
    console.error('the machine is too busy: even calm phases wait for its processors, so that this says little');
  process.exitCode = numbers.p99Ratio <= MOST && numbers.calm.p50 <= CALM_P50_MS ? 0 : 1;
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(share * values.length) - 1] ?? NaN;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
