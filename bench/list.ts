import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SluiceClient } from '@sluice/client';
import type { ListQuery, ListResponse } from '@sluice/contracts';
import Table from 'cli-table3';
import type { Clients } from '../adapters/aws/clients.ts';
import { createTaskList } from '../adapters/aws/task-list.ts';
import { createTaskStore } from '../adapters/aws/task-store.ts';
import { createMemoryTelemetry } from '../adapters/memory/telemetry.ts';
import { systemClock as clock, systemHasher as hasher, systemRandom as random } from '../adapters/system.ts';
import { readCommandLine } from '../bin/command-line.ts';
import { listTasks } from '../core/api/list-tasks.ts';
import { newRow } from '../core/submit/new-row.ts';
import { checkSubmission } from '../core/submit/validate.ts';
import { listQueryOf } from '../functions/api/query.ts';
import { startDynamoDb } from '../local/servers/dynamodb.ts';
import { clientsAt, makeTable } from '../test/contract/servers.ts';
import { load } from './list/load.ts';

const USAGE = `Measures how long a page of a tenant's list takes, and what memory walking it: a million tasks of five days in a DynamoDB
server, read by the production code through the real SDK. Times are those of this server, which shares the machine with
the rest: what holds elsewhere is their ratio. The heap is that of the client's iterator, the list function and the SDK
together, after a collection; the server has one of its own.

  npm run bench:list -- [--rows N] [--json]

  --rows  tasks in the table, instead of 1000000
  --json  prints the numbers as JSON on the last line`;

const { values: options, wholeNumber } = readCommandLine(USAGE, { json: { type: 'boolean' }, rows: { type: 'string' } });
const ROWS = wholeNumber('rows', 1_000_000);
const TENANT = 'acme';
const TABLE = 'sluice';
const PAGES = 1_000;
const PAGE_SIZES = [50, 200];
const SAMPLES = 100;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

type GetPage = (query: ListQuery) => Promise<ListResponse>;
interface Result {
  readonly pageSize: number;
  readonly firstMs: number;
  readonly thousandthMs: number;
  readonly ratio: number;
  /** How much the heap grew from the 100th page to the 1,000th. */
  readonly heapGrowthMb: number;
}

const directory = await mkdtemp(join(tmpdir(), 'sluice-list-'));
try {
  await withServer((clients) => makeTable(clients, TABLE));
  const began = performance.now();
  // Into the store of the server before it starts; a row that the task store writes then must head the list.
  await load(directory, TABLE, { tenant: TENANT, rows: ROWS, days: 5 });
  console.log(`${ROWS} rows in ${Math.round((performance.now() - began) / 1_000)} s`);
  await withServer(async (clients) => {
    const getPage = await listOver(clients);
    const results: Result[] = [];
    for (const pageSize of PAGE_SIZES) results.push(await measure(getPage, pageSize));
    report(results);
  });
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function withServer(run: (clients: Clients) => Promise<void>): Promise<void> {
  const server = await startDynamoDb({ directory }, (error) => {
    throw error;
  });
  const clients = clientsAt({ dynamodbEndpoint: server.url });
  try {
    await run(clients);
  } finally {
    clients.dynamodb.destroy();
    await server.close();
  }
}

/** The list as the API gives it, after a look at whether it is that of the rows: a new one is the first of a million. */
async function listOver({ dynamodb }: Clients): Promise<GetPage> {
  const telemetry = createMemoryTelemetry();
  const deps = { list: createTaskList(dynamodb, { table: TABLE, random, telemetry }), hasher, clock };
  const getPage: GetPage = (query) => listTasks(deps, TENANT, query);
  const now = clock.now();
  const checked = checkSubmission({ type: 'thumbnail', id: 'last' }, now);
  const tasks = createTaskStore(dynamodb, { table: TABLE, listIndex: true, clock, telemetry });
  await tasks.insert(newRow({ tenant: TENANT, uid: random.ulid(now), now, checked, hash: hasher }));
  const ids = (await getPage({ limit: 3 })).tasks.map(({ id }) => id);
  const expected = ['last', `order:${ROWS - 1}`, `order:${ROWS - 2}`];
  if (ids.join() !== expected.join()) throw new Error(`the list begins with ${ids.join()} and not with ${expected.join()}`);
  return getPage;
}

async function measure(getPage: GetPage, pageSize: number): Promise<Result> {
  for (let n = 0; n < 20; n++) await getPage({ limit: pageSize });
  const walked = await walk(getPage, pageSize);
  const [first, thousandth]: [number[], number[]] = [[], []];
  // In turns, so that whatever else the machine does falls on both.
  for (let n = 0; n < SAMPLES; n++) {
    first.push(await timed(() => getPage({ limit: pageSize })));
    thousandth.push(await timed(() => getPage({ limit: pageSize, cursor: walked.cursor })));
  }
  const [firstMs, thousandthMs] = [median(first), median(thousandth)];
  return { pageSize, firstMs, thousandthMs, ratio: thousandthMs / firstMs, heapGrowthMb: walked.heapGrowthMb };
}

/** Walks the client's iterator to the end of the 1,000th page. */
async function walk(getPage: GetPage, pageSize: number): Promise<{ readonly cursor: string; readonly heapGrowthMb: number }> {
  let cursor = '';
  const client = new SluiceClient({
    baseUrl: 'http://list.invalid',
    token: `slc_${'x'.repeat(43)}`,
    fetch: async (url) => {
      const query = new URL(url).searchParams;
      cursor = query.get('cursor') ?? '';
      return Response.json(await getPage(listQueryOf(Object.fromEntries(query), query.getAll('label'))));
    },
  });
  const began = performance.now();
  let heapAt100 = 0;
  let tasks = 0;
  let last = '~';
  for await (const { uid } of client.list({ pageSize })) {
    if (uid >= last) throw new Error(`${uid} is not older than ${last}`);
    last = uid;
    tasks += 1;
    if (tasks === 100 * pageSize) heapAt100 = heapMb();
    if (tasks === PAGES * pageSize) break;
  }
  const heapGrowthMb = heapMb() - heapAt100;
  console.log(`${PAGES} pages of ${pageSize} walked in ${Math.round((performance.now() - began) / 1_000)} s`);
  return { cursor, heapGrowthMb };
}

function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function report(results: readonly Result[]): void {
  const table = new Table({
    head: ['tasks on a page', 'first page, p50 ms', 'page 1,000, p50 ms', 'ratio', 'heap growth, MB'],
    colAligns: ['right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
  });
  const rounded = results.map((result) => ({
    ...result,
    firstMs: round(result.firstMs),
    thousandthMs: round(result.thousandthMs),
    ratio: round(result.ratio),
    heapGrowthMb: round(result.heapGrowthMb),
  }));
  for (const { pageSize, firstMs, thousandthMs, ratio, heapGrowthMb } of rounded) {
    table.push([pageSize, firstMs, thousandthMs, ratio, heapGrowthMb]);
  }
  console.log(table.toString());
  if (options.json) console.log(JSON.stringify({ rows: ROWS, pages: rounded }));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
