import { zipf } from '../engine/chance.ts';
import type { Source } from '../model/arrivals.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Goal, Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, runWay, type RunRules } from '../run.ts';
import { oneFifo, roundRobin, sqsFair } from '../systems/disciplines.ts';
import { hashToOne, pool, sluice } from './ways.ts';

const OTHERS = 0;
const BULK = 1;
const TENANTS = 200;
const LIMIT = 50;
const CAPACITY = 100;
const WORK_MS = 1_000;
const BATCH = 500;

function run({ seed, quick }: Options): Result {
  const bulk = quick ? 20_000 : 500_000;
  const perSecond = 20;
  const seconds = Math.ceil((1.6 * bulk * WORK_MS) / 1_000 / LIMIT) + 600;
  const sizes = zipf(TENANTS - 1, 0.8);
  const others: Source = {
    name: 'others',
    perSecond: () => perSecond,
    most: perSecond,
    tenant: (chance) => 1 + sizes.draw(chance),
    workMs: (chance) => chance.logNormal(WORK_MS, 0.5),
  };
  // 25 batches a second, as a client sends them.
  const all: Source = {
    ...others,
    name: 'bulk',
    perSecond: () => 25,
    most: 25,
    tenant: () => 0,
    tasks: BATCH,
    from: 60_000,
    until: 60_000 + (bulk / BATCH / 25) * 1_000,
  };
  const rules: RunRules = {
    seed,
    metrics: { groups: 2, tenants: TENANTS, tenantGroup: (tenant) => (tenant === 0 ? BULK : OTHERS) },
    target: { capacity: () => CAPACITY, beyond: 'wait' },
    sources: [others, all],
    seconds,
    sampleSeconds: Math.round(seconds / 120),
  };
  const ways: [string, (parts: Parts) => Built][] = [
    ['Sluice, `event`', sluice({ concurrency: LIMIT })],
    ['Sluice, `wait`', sluice({ concurrency: LIMIT, start: 'wait' })],
    ['one FIFO queue', pool(({ world }) => oneFifo(world.tasks), CAPACITY)],
    ['a queue per tenant, round robin', pool(({ world }) => roundRobin(world.tasks), CAPACITY)],
    ['hash to one of 8', hashToOne(({ world }) => oneFifo(world.tasks), CAPACITY, 8)],
    ['SQS fair queue', pool(({ world }) => sqsFair(world), CAPACITY)],
  ];
  let tasks = 0;
  const done = ways.map(([name, build]) => {
    const ran = runWay(name, rules, build, ({ metrics }) => {
      const { waits } = metrics.groups[OTHERS]!;
      return {
        p50: waits.percentile(50) / 1000,
        p99: waits.percentile(99) / 1000,
        max: waits.max / 1000,
        bulkDone: metrics.groups[BULK]!.succeeded,
      };
    });
    tasks += ran.metrics.submitted;
    const whole = ran.metrics.groups[BULK]!.submitted;
    const done = ran.way.rows.find((row) => row['succeeded 1']! >= whole)?.['seconds'] ?? Infinity;
    const numbers: Record<string, number> = { ...ran.way.numbers, hours: done / 3_600 };
    return { ...ran.way, numbers };
  });
  const parkedByVisibility = onVisibility(bulk);
  return {
    name: 'bulk',
    title: `${bulk.toLocaleString('en')} tasks at once`,
    question: `One tenant submits ${bulk.toLocaleString('en')} tasks in ${Math.round(bulk / BATCH / 25)} seconds, hours of work for its lane. What do the others notice, and what does the waiting cost?`,
    setup: [
      `The lane may have ${LIMIT} attempts at once, all lanes together ${CAPACITY}; an attempt takes ${WORK_MS / 1000} s (log-normal). ${TENANTS - 1} others submit ${perSecond} tasks a second.`,
      `The tasks come in batches of ${BATCH}, ten in a message. Receives and writes are counted of the tasks of this tenant: how often a message that names one is received until it starts, and the lane hints that are received for it.`,
      `A platform that parks tasks in SQS by their visibility (${PARAMETERS.visibilitySeconds} s) would receive each of them about ${parkedByVisibility} times.`,
    ],
    ways: done,
    columns: [
      { field: 'p50', label: 'others, p50 (s)' },
      { field: 'p99', label: 'others, p99 (s)' },
      { field: 'max', label: 'others, longest (s)' },
      { field: 'hours', label: 'all done after (h)' },
      { field: 'receivesPerTask', label: 'receives of a task' },
      { field: 'laneHintsPerTask', label: 'lane hints per task' },
      { field: 'allReceivesPerTask', label: 'both' },
      { field: 'extraWritesPerTask', label: 'more writes per task' },
    ],
    goals: done.slice(0, 2).flatMap(({ name, numbers }): Goal[] => [
      { what: `${name}: receives of a task from SQS, lane hints included`, value: numbers['allReceivesPerTask']!, is: '<=', bound: 1.2 },
      { what: `${name}: more writes per task`, value: numbers['extraWritesPerTask']!, is: '<=', bound: 2 },
      { what: `${name}: the others' p99 (s)`, value: numbers['p99']!, is: '<=', bound: 1 },
    ]),
    panels: [
      { field: 'p99 0', label: "others' p99 (ms)", log: true },
      { field: 'live', label: 'tasks waiting or running' },
      { field: 'running', label: 'attempts that run' },
    ],
    seed,
    virtualSeconds: seconds,
    tasks,
  };
}

/** Tasks are tried again every visibility until their turn comes: on average half of the whole time. */
function onVisibility(bulk: number): number {
  const seconds = (bulk * WORK_MS) / 1_000 / LIMIT;
  return Math.round(seconds / 2 / PARAMETERS.visibilitySeconds);
}

export const bulk: Scenario = { name: 'bulk', run };
