import { SluiceClient } from '@sluice/client';
import Table from 'cli-table3';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCommandLine } from '../../bin/command-line.ts';
import { findTarget, tokensOf } from '../e2e/outside.ts';
import { OPERATIONS, operationOf } from '../openapi/conformance.ts';
import { codeOf, judge } from './judge.ts';
import { mutatedDrafts } from './mutations.ts';
import { requestOf, validDrafts, type Caller, type Draft, type FuzzRequest, type Known } from './requests.ts';
import { curlOf, Sender, type FuzzAnswer } from './send.ts';

const USAGE = `Sends random requests, made from the OpenAPI document and then mutated, to a platform that runs, and holds each answer against the document.

  npm run test:fuzz -- [--requests N] [--seed N] [--json]

  --requests  how many (default 10000)
  --seed      begins the same requests again (default: random; each run prints its own)
  --json      prints the numbers as one JSON object on the last line

The platform is the one that SLUICE_E2E_TARGET describes, or an embedded one.`;

/** Requests under way at once; each lane is a run of its own with a seed of its own. */
const LANES = 16;
/** Of a lane whose request failed: how long to look for a smaller one that fails too. */
const SHRINK_MS = 30_000;
/** A fourth of all is as the document says. */
const drafts = (known: Known): fc.Arbitrary<Draft> => {
  const valid = validDrafts(known);
  return fc.oneof({ weight: 1, arbitrary: valid }, { weight: 3, arbitrary: mutatedDrafts(valid) });
};

class Tally {
  readonly statuses = new Map<string, number>();
  readonly seen = new Set<string>();
  readonly mutations = new Map<string, number>();
  readonly ms: number[] = [];
  /** Answers with a 5xx that were another at the next try. */
  passed = 0;

  add({ draft, method, path }: FuzzRequest, { status, text, ms }: FuzzAnswer): void {
    this.ms.push(ms);
    const name = status < 400 ? String(status) : `${status} ${codeOf(text) ?? ''}`.trim();
    this.statuses.set(name, (this.statuses.get(name) ?? 0) + 1);
    const operation = operationOf(method, new URL(`http://api${path}`).pathname);
    if (operation) this.seen.add(`${operation.operationId} ${status}`);
    for (const mutation of draft.mutations) {
      const kind = mutation.split(' ').slice(0, 2).join(' ');
      this.mutations.set(kind, (this.mutations.get(kind) ?? 0) + 1);
    }
  }
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values, wholeNumber } = readCommandLine(USAGE, { requests: text, seed: text, json: flag });
  const [requests, seed] = [wholeNumber('requests', 10_000), wholeNumber('seed', randomBytes(3).readUIntBE(0, 3), 0)];
  console.error('· starting the platform');
  const { deployment, close } = await findTarget();
  const sender = new Sender(deployment.url, LANES);
  try {
    const tenant = `fuzz-${randomBytes(4).toString('hex')}`;
    const tokenOf = tokensOf(deployment);
    const [all, reader] = await Promise.all([tokenOf(tenant, ['admin']), tokenOf(tenant, ['read'])]);
    const client = new SluiceClient({ baseUrl: deployment.url, token: all });
    const known = await prepare(client);
    const tokens = { all, reader, stranger: `slc_${'A'.repeat(43)}`, none: undefined };
    console.error(`· ${requests} requests to ${deployment.name}, seed ${seed}`);
    const began = performance.now();
    const tally = new Tally();
    const faults = await fuzz(sender, known, tokens, { requests, seed, url: deployment.url }, tally);
    const seconds = (performance.now() - began) / 1_000;
    const works = await stillWorks(client);
    const report = reportOf(tally, seconds, seed, faults.length, works);
    tell(report, tally);
    for (const fault of faults) console.error(`\n${fault}`);
    if (!works) console.error('\na normal task did not succeed afterwards');
    if (values.json) console.log(JSON.stringify(report));
    return faults.length === 0 && works ? 0 : 1;
  } finally {
    sender.close();
    await close();
  }
}

/** Tasks in several states and tokens, for requests to meet. */
async function prepare(client: SluiceClient): Promise<Known> {
  const make = (id: string, type: string, payload: unknown, delaySeconds = 0) => client.submit({ type, id, payload, delaySeconds });
  const tasks = await Promise.all([
    make('done', 'unruly-wait', { do: 'ok' }),
    make('failed', 'unruly-wait', { do: 'fatal' }),
    make('later', 'narrow', { do: 'ok' }, 1_000_000),
    make('cancelled', 'narrow', { do: 'ok' }, 1_000_000),
    make('a:b@c=d+e~f.g_h-i', 'narrow', 'x'.repeat(20_000), 1_000_000),
  ]);
  await client.cancel('cancelled');
  await Promise.all(['done', 'failed'].map((id) => client.wait(id)));
  const tokens = await Promise.all(Array.from({ length: 5 }, () => client.tokens.create({ scopes: ['read'] })));
  return { tasks: [...tasks.map(({ id }) => id), 'never'], uids: tasks.map(({ uid }) => uid), tokens: tokens.map(({ id }) => id) };
}

interface Plan {
  readonly requests: number;
  readonly seed: number;
  readonly url: string;
}

/** @returns what went wrong, each with a request that shows it */
async function fuzz(
  sender: Sender,
  known: Known,
  tokens: Readonly<Record<Caller, string | undefined>>,
  { requests, seed, url }: Plan,
  tally: Tally,
): Promise<string[]> {
  const arbitrary = drafts(known);
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    let failedAt = Infinity;
    const property = fc.asyncProperty(arbitrary, async (draft) => {
      // What passes is not made smaller: so the search ends.
      if (performance.now() - failedAt > SHRINK_MS) return;
      const request = requestOf(draft, tokens);
      const answer = await settled(sender, request, tally);
      tally.add(request, answer);
      const fault = judge(request, answer);
      if (fault === undefined) return;
      failedAt = Math.min(failedAt, performance.now());
      throw new Error(`${fault}\nanswered ${answer.status} ${answer.text.slice(0, 500)}`);
    });
    const numRuns = Math.floor(requests / LANES) + (lane < requests % LANES ? 1 : 0);
    const run = await fc.check(property, { seed: seed * LANES + lane, numRuns });
    if (!run.failed || run.counterexample === null) return [];
    const [draft] = run.counterexample;
    const what = run.errorInstance instanceof Error ? run.errorInstance.message : String(run.errorInstance);
    const how = `request ${run.numRuns} of lane ${lane}, made smaller ${run.numShrinks} times; ${draft.mutations.join('; ') || 'not mutated'}`;
    return [[what, how, curlOf(url, requestOf(draft, tokens))].join('\n')];
  });
  const faults = (await Promise.all(lanes)).flat();
  // Several lanes find the same.
  return [...new Map(faults.map((fault) => [fault.split('\n')[0], fault])).values()];
}

/** How often a request is sent again that was answered with what passes; a machine that is busy has such answers. */
const REPEATS = 3;

/** The answer that stays. The platform's own `internal` never passes. */
async function settled(sender: Sender, request: FuzzRequest, tally: Tally): Promise<FuzzAnswer> {
  for (let repeat = 1; ; repeat++) {
    const answer = await sender.send(request);
    if (answer.status < 500 || codeOf(answer.text) === 'internal' || repeat > REPEATS) return answer;
    tally.passed++;
    await sleep(repeat * 2_000);
  }
}

/** That a task of the same tenant is still done. */
async function stillWorks(client: SluiceClient): Promise<boolean> {
  const { id } = await client.submit({ type: 'unruly-wait', payload: { do: 'ok', key: 'after' } });
  return (await client.wait(id, { timeoutSeconds: 60 })).state === 'succeeded';
}

function reportOf(tally: Tally, seconds: number, seed: number, faults: number, works: boolean) {
  const ms = tally.ms.toSorted((a, b) => a - b);
  const at = (part: number): number => Math.round(ms[Math.floor(ms.length * part)] ?? 0);
  const told = OPERATIONS.flatMap(({ operationId, responses }) => Object.keys(responses).map((status) => `${operationId} ${status}`));
  return {
    seed,
    requests: ms.length,
    seconds: Math.round(seconds * 10) / 10,
    perSecond: Math.round(ms.length / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    passed: tally.passed,
    faults,
    works,
    told: told.length,
    toldAndSeen: told.filter((each) => tally.seen.has(each)).length,
  };
}

function tell(report: ReturnType<typeof reportOf>, tally: Tally): void {
  const byCount = (counts: ReadonlyMap<string, number>) => [...counts].toSorted(([, a], [, b]) => b - a);
  const answers = new Table({ head: ['answers', ''], colAligns: ['left', 'right'] });
  answers.push(...byCount(tally.statuses));
  const mutations = new Table({ head: ['mutations', ''], colAligns: ['left', 'right'] });
  mutations.push(...byCount(tally.mutations).slice(0, 20));
  console.log(`${answers.toString()}\n${mutations.toString()}`);
  const { requests, seconds, perSecond, p50Ms, p99Ms, passed, faults, told, toldAndSeen, seed } = report;
  console.log(`${requests} requests in ${seconds} s (${perSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms), seed ${seed}: ${faults} faults`);
  if (passed > 0) console.log(`${passed} times an answer was a 5xx that passed: the machine was busy`);
  console.log(`${toldAndSeen} of the ${told} answers that the document tells of were seen`);
}

process.exitCode = await main();
