import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceClient } from '@sluice/client';
import Table from 'cli-table3';
import { readCommandLine } from '../bin/command-line.ts';
import { Ledger, type Seen } from './crash/ledger.ts';
import { freePort, Server } from './crash/server.ts';

const USAGE = `Kills the dev server and all its processes by SIGKILL while 10,000 tasks of three tenants are submitted and run, and
starts it again with the same data folder: once in the middle of the submission, then twice while tasks run. Then it
waits until every accepted task has ended. None may be lost, and none succeed twice.

  npm run bench:crash -- [--tasks N] [--json]

  --tasks  how many tasks, instead of 10000
  --json   prints the numbers as JSON on the last line

The tasks do nothing, by both starters, and have the shortest time-out of the examples: what a kill interrupts waits
for the end of its lease, one or two minutes.`;

const { values, wholeNumber } = readCommandLine(USAGE, { json: { type: 'boolean' }, tasks: { type: 'string' } });
const TASKS = wholeNumber('tasks', 10_000);
const TENANTS = ['acme', 'globex', 'initech'] as const;
/** One task in four is started by the other starter. */
const typeOf = (n: number): string => (n % 4 === 0 ? 'unruly' : 'unruly-wait');
/** The share of all tasks that is accepted at the first kill, and that has ended at the others. */
const KILL_AT_ACCEPTED = 0.2;
const KILLS_AT_ENDED = [0.25, 0.6];
/** Seconds without any task that ends, after which what is left counts as lost: longer than the longest lease. */
const PATIENCE_SECONDS = 240;
/** Seconds that each phase may take. */
const MOST_SECONDS = 900;

interface Kill {
  readonly second: number;
  readonly accepted: number;
  readonly succeeded: number;
  /** Seconds until it was ready again. */
  readonly restart: number;
}

const began = Date.now();
const seconds = (): number => Math.round((Date.now() - began) / 100) / 10;
const folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
const tokens = join(folder, 'tokens.json');
const ledger = new Ledger();
const port = await freePort();
const server = new Server({ port, data: join(folder, 'data'), tokens, onLine: (line) => ledger.line(line) });
const kills: Kill[] = [];
process.once('SIGINT', () => void server.stop().then(() => process.exit(1)));

try {
  await server.start();
  say('ready');
  const clients = await connect();
  const refused: string[] = [];
  const submitted = Promise.all(
    [...clients].map(async ([tenant, client], t) => {
      await client.submitMany(submissionsOf(t), {
        onResult: (item) => {
          if (item.ok) ledger.accept(tenant, item.id, item.task.uid);
          else refused.push(`${tenant}/${item.id}: ${item.error.message}`);
        },
      });
    }),
  );
  await until(() => ledger.accepted >= TASKS * KILL_AT_ACCEPTED);
  await killAndStart();
  await submitted;
  say(`${ledger.accepted} accepted`);
  for (const share of KILLS_AT_ENDED) {
    await until(() => ledger.succeededInLog >= TASKS * share);
    await killAndStart();
  }
  const late = await waitForEnds(clients);
  report(refused, late);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}

async function connect(): Promise<Map<string, SluiceClient>> {
  const all = JSON.parse(await readFile(tokens, 'utf8')) as Record<string, { submit: string }>;
  const options = { baseUrl: `http://127.0.0.1:${port}`, retries: 1_000, minRetryDelayMs: 200, maxRetryDelayMs: 2_000 };
  return new Map(TENANTS.map((tenant) => [tenant, new SluiceClient({ ...options, token: all[tenant]?.submit ?? '' })]));
}

function* submissionsOf(tenant: number) {
  for (let n = tenant; n < TASKS; n += TENANTS.length) yield { type: typeOf(n), id: `task-${n}`, payload: { do: 'ok' } };
}

async function killAndStart(): Promise<void> {
  const { accepted, succeededInLog: succeeded } = ledger;
  await server.kill();
  const killed = Date.now();
  await server.start();
  kills.push({ second: Math.round((killed - began) / 1000), accepted, succeeded, restart: Math.round((Date.now() - killed) / 1000) });
  say(`killed with ${accepted} accepted and ${succeeded} succeeded, and started again`);
}

/** Lists until all have ended, or until nothing has ended for a while. @returns tasks that were attempted more than once */
async function waitForEnds(clients: ReadonlyMap<string, SluiceClient>): Promise<number> {
  let before = -1;
  for (let quietSince = Date.now(); Date.now() - quietSince < PATIENCE_SECONDS * 1000; await sleep(5_000)) {
    await look(clients);
    if (ledger.terminal === ledger.accepted) break;
    if (ledger.terminal > before) quietSince = Date.now();
    before = ledger.terminal;
    say(`${ledger.terminal} of ${ledger.accepted} have ended`);
  }
  // Again, and into those that a kill has touched: an end may have been replaced.
  const touched = await look(clients);
  for (const [tenant, id] of touched) {
    const task = await clients.get(tenant)?.get(id, { include: ['result'] });
    if (task !== undefined) ledger.inspect(tenant, task);
  }
  return touched.length;
}

/** Lists all tasks. @returns those whose attempts did not go as if nothing had happened */
async function look(clients: ReadonlyMap<string, SluiceClient>): Promise<(readonly [string, string])[]> {
  const touched: (readonly [string, string])[] = [];
  for (const [tenant, client] of clients) {
    for await (const task of client.list({ pageSize: 200 })) {
      const seen: Seen = task;
      ledger.see(tenant, seen);
      if (seen.attempts > 1 || seen.lost > 0) touched.push([tenant, seen.id]);
    }
  }
  return touched;
}

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + MOST_SECONDS * 1000; !holds(); await sleep(20)) {
    if (Date.now() > end)
      throw new Error(`no kill after ${MOST_SECONDS} s: ${ledger.accepted} accepted, ${ledger.succeededInLog} succeeded`);
  }
}

function say(text: string): void {
  if (!values.json) console.log(`${seconds().toFixed(1).padStart(6)} s  ${text}`);
}

function report(refused: readonly string[], touched: number): void {
  const { accepted, terminal, lost, doubleSuccess } = ledger;
  const result = { accepted, terminal, lost: lost.length, doubleSuccess: doubleSuccess.length, seconds: Math.round(seconds()) };
  const more = { states: ledger.states(), refused: refused.length, attemptedAgain: touched, kills };
  if (!values.json) {
    const table = new Table({ head: Object.keys(result), style: { head: [], border: [] } });
    table.push(Object.values(result));
    console.log(table.toString());
    console.log(
      `${Object.entries(more.states)
        .map(([state, n]) => `${n} ${state}`)
        .join(', ')}; ${touched} attempted again after a kill`,
    );
  }
  for (const line of refused.slice(0, 10)) console.error(`refused ${line}`);
  for (const key of lost.slice(0, 10)) console.error(`lost ${key}`);
  for (const key of doubleSuccess.slice(0, 10)) console.error(`succeeded twice ${key}`);
  if (values.json) console.log(JSON.stringify({ ...result, ...more }));
  process.exitCode = lost.length + doubleSuccess.length + refused.length > 0 || accepted < TASKS ? 1 : 0;
}
