import type { Options, Result, Scenario } from '../report/result.ts';
import { zipf } from '../engine/chance.ts';
import { jain, type Metrics } from '../engine/metrics.ts';
import type { Source } from '../model/arrivals.ts';
import { type Built, type Parts, type Ran, runWay, type RunRules } from '../run.ts';
import { oneFifo, roundRobin, sqsFair } from '../systems/disciplines.ts';
import { divide } from '../../../core/limits/divide.ts';
import { hashToOne, pool, sluice } from './ways.ts';

const OTHERS = 0;
const FLOOD = 1;
/** The tenant that floods: the biggest. */
const OFFENDER = 0;

interface Size {
  readonly tenants: number;
  readonly perSecond: number;
  readonly capacity: number;
  readonly workMs: number;
  readonly calmSeconds: number;
  readonly floodSeconds: number;
  readonly seconds: number;
}

const WHOLE: Size = { tenants: 10_000, perSecond: 500, capacity: 900, workMs: 1_000, calmSeconds: 60, floodSeconds: 60, seconds: 150 };
const QUICK: Size = { ...WHOLE, tenants: 1_000, perSecond: 100, capacity: 200, calmSeconds: 30, floodSeconds: 30, seconds: 90 };
const TIMES = 100;

function run({ seed, quick }: Options): Result {
  const size = quick ? QUICK : WHOLE;
  const { tenants, perSecond, capacity, workMs, calmSeconds, floodSeconds, seconds } = size;
  const sizes = zipf(tenants, 1);
  const usual = perSecond * sizes.share(OFFENDER);
  const all: Source = {
    name: 'all',
    perSecond: () => perSecond,
    most: perSecond,
    tenant: sizes.draw,
    workMs: (chance) => chance.logNormal(workMs, 0.5),
    comesAgain: 5,
  };
  const flood: Source = {
    ...all,
    name: 'flood',
    perSecond: () => (TIMES - 1) * usual,
    most: (TIMES - 1) * usual,
    tenant: () => OFFENDER,
    comesAgain: 0,
    from: calmSeconds * 1000,
    until: (calmSeconds + floodSeconds) * 1000,
  };
  const measured = { from: calmSeconds * 1000, until: (calmSeconds + floodSeconds) * 1000 };
  const rules = (sources: readonly Source[]): RunRules => ({
    seed,
    metrics: { groups: 2, tenants, tenantGroup: (tenant) => (tenant === OFFENDER ? FLOOD : OTHERS) },
    target: { capacity: () => capacity, beyond: 'wait' },
    sources,
    seconds,
    sampleSeconds: quick ? 5 : 3,
    measured,
  });
  const ways: [string, (parts: Parts) => Built][] = [
    ['Sluice', sluice({ concurrency: capacity, divide: { capacity }, admit: { backlog: 100_000 } })],
    ['lanes limited alone', sluice({ concurrency: capacity / 4, admit: { backlog: 100_000 } })],
    ['Sluice, no backpressure', sluice({ concurrency: capacity, divide: { capacity } })],
    ['one FIFO queue', pool(({ world }) => oneFifo(world.tasks), capacity)],
    ['a queue per tenant, round robin', pool(({ world }) => roundRobin(world.tasks), capacity)],
    ['hash to one of 8', hashToOne(({ world }) => oneFifo(world.tasks), capacity, 8)],
    ['SQS fair queue', pool(({ world }) => sqsFair(world), capacity)],
  ];
  let tasks = 0;
  const done = ways.map(([name, build]) => {
    const calm = runWay(name, rules([all]), build, read);
    const loud = runWay(name, rules([all, flood]), build, read);
    tasks += submitted(calm.metrics) + submitted(loud.metrics);
    return { ...loud.way, numbers: compare(calm, loud, capacity, floodSeconds) };
  });
  const ours = done[0]!.numbers;
  return {
    name: 'noisy-neighbour',
    title: 'One of 10,000 tenants floods',
    question: `What do the others notice when the biggest of ${tenants.toLocaleString('en')} tenants submits ${TIMES} times as much as usual for ${floodSeconds} seconds?`,
    setup: [
      `${perSecond} tasks a second; tenants by Zipf's law (the biggest ${usual.toFixed(1)} a second); an attempt takes ${workMs / 1000} s (log-normal); ${capacity} attempts at once in all.`,
      `The flood comes after ${calmSeconds} seconds. Waits are from acceptance to the first attempt, of tasks accepted while it lasts, compared with a run of the same seed without it.`,
      `Sluice has a bound of 100,000 waiting tasks for each tenant. Others that are refused come again when they are told to; the flood does not.`,
      `Weighted service: the work done for each tenant while the flood lasts, divided by its fair share (weighted max-min of what all ask for).`,
    ],
    ways: done,
    columns: [
      { field: 'calmP99', label: 'others, p99 calm (ms)' },
      { field: 'p99', label: 'p99 in the flood (ms)' },
      { field: 'p99Ratio', label: 'ratio' },
      { field: 'maxWait', label: 'longest wait (s)' },
      { field: 'jain', label: 'Jain index' },
      { field: 'utilisation', label: 'utilisation' },
      { field: 'refusedOfOffender', label: "of the refused, the offender's" },
      { field: 'refusedOfOthers', label: 'others refused' },
      { field: 'mostLive', label: 'most tasks waiting' },
    ],
    goals: [
      { what: "p99 of the others' waits, compared with the calm run", value: ours['p99Ratio']!, is: '<=', bound: 1.1 },
      { what: 'Jain index of weighted service', value: ours['jain']!, is: '>=', bound: 0.95 },
      { what: "refusals that are the offender's", value: ours['refusedOfOffender']!, is: '>=', bound: 0.98 },
      { what: 'refused of what well-behaved tenants submit', value: ours['refusedOfOthers']!, is: '<=', bound: 0.001 },
    ],
    panels: [
      { field: 'p99 0', label: "others' p99 (ms)", log: true },
      { field: 'live', label: 'tasks waiting or running', log: true },
      { field: 'utilisation', label: 'utilisation' },
    ],
    notes: [
      'A queue per tenant and fair queues protect the others as well, where one pool of workers serves one kind of task. They have no limit for a lane, and take in all that comes.',
      'All small lanes together are one claimant of the division, with the weight of all of them: they draw on the entry pool, each on a tenth of the capacity at most. The offender has a share of its own, which grows within seconds to what the others leave.',
    ],
    seed,
    virtualSeconds: seconds,
    tasks,
  };
}

function read({ metrics }: Omit<Ran, 'way'>): Record<string, number> {
  return { p99: metrics.groups[OTHERS]!.waits.percentile(99) };
}

function submitted({ groups }: Metrics): number {
  return groups.reduce((sum, group) => sum + group.submitted, 0);
}

function compare(calm: Ran, loud: Ran, capacity: number, floodSeconds: number): Record<string, number> {
  const calmP99 = calm.metrics.groups[OTHERS]!.waits.percentile(99);
  const others = loud.metrics.groups[OTHERS]!;
  const refused = others.refused + loud.metrics.groups[FLOOD]!.refused;
  const p99 = others.waits.percentile(99);
  return {
    ...loud.way.numbers,
    calmP99,
    p99,
    p99Ratio: p99 / calmP99,
    maxWait: others.waits.max / 1000,
    jain: fairness(calm.metrics, loud.metrics, capacity * floodSeconds * 1000),
    utilisation: loud.metrics.served.reduce((a, b) => a + b, 0) / (capacity * floodSeconds * 1000),
    ...(refused > 0 && { refusedOfOffender: loud.metrics.groups[FLOOD]!.refused / refused }),
    refusedOfOthers: others.refused / others.submitted,
    mostLive: loud.world.tasks.mostLive,
  };
}

/** Jain's index of what each tenant got of its fair share; tenants of which little is known by chance count together. */
function fairness(calm: Metrics, loud: Metrics, capacity: number): number {
  const TOGETHER = 100;
  const got: number[] = [];
  const asked: number[] = [];
  const add = (from: number, to: number): void => {
    got.push(sum(loud.served, from, to));
    asked.push(from === OFFENDER ? Infinity : sum(calm.served, from, to));
  };
  add(OFFENDER, OFFENDER + 1);
  for (let from = 1; from < loud.served.length; from += TOGETHER) add(from, Math.min(from + TOGETHER, loud.served.length));
  const pool = { capacity: Math.round(capacity) };
  const fair = divide(
    asked.map((ask, i) => ({ key: `${i}`, demand: Math.min(ask, capacity), pools: [pool] })),
    0,
  );
  return jain(got.map((work, i) => work / Math.max(1, fair[i]?.needed ?? 1)));
}

function sum(values: Float64Array, from: number, to: number): number {
  return values.subarray(from, to).reduce((a, b) => a + b, 0);
}

export const noisyNeighbour: Scenario = { name: 'noisy-neighbour', run };
