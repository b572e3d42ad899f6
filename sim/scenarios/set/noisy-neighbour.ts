import type { Quota } from '@sluice/contracts';
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
/** Tenants of which at least so many tasks are expected while the flood lasts count one by one: chance is less than a fifth of them. */
const COUNTED = 30;

/** Who floods, for so many times as long as one does. */
interface Load {
  readonly offenders: number;
  readonly quotas: ReadonlyMap<number, Quota>;
  readonly times: number;
}
const ONE: Load = { offenders: 1, quotas: new Map(), times: 1 };
const WEIGHTED = 'Sluice, four flood: weights 1, 2, 4, and a guarantee';
/** The biggest four flood, with these weights and one guarantee, of a ninth of the capacity. */
const four = (capacity: number): Load => ({
  offenders: 4,
  quotas: new Map([
    [0, { weight: 1 }],
    [1, { weight: 2 }],
    [2, { weight: 4 }],
    [3, { guaranteed: Math.floor(capacity / 9) }],
  ]),
  times: 3,
});

interface Size {
  readonly tenants: number;
  readonly perSecond: number;
  readonly capacity: number;
  readonly workMs: number;
  readonly calmSeconds: number;
  readonly floodSeconds: number;
  readonly seconds: number;
  /** Tasks of a tenant that may wait. */
  readonly backlog: number;
}

const WHOLE: Size = {
  tenants: 10_000,
  perSecond: 500,
  capacity: 900,
  workMs: 1_000,
  calmSeconds: 60,
  floodSeconds: 60,
  seconds: 150,
  backlog: 100_000,
};
const QUICK: Size = {
  ...WHOLE,
  tenants: 1_000,
  perSecond: 150,
  capacity: 270,
  calmSeconds: 30,
  floodSeconds: 40,
  seconds: 80,
  backlog: 20_000,
};
const TIMES = 100;

function run({ seed, quick }: Options): Result {
  const size = quick ? QUICK : WHOLE;
  const { tenants, perSecond, capacity, workMs, calmSeconds, floodSeconds, seconds, backlog } = size;
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
  const spanOf = ({ times }: Load) => ({ from: calmSeconds * 1000, until: (calmSeconds + times * floodSeconds) * 1000 });
  const flood = (load: Load): Source => ({
    ...all,
    name: 'flood',
    perSecond: () => (TIMES - 1) * usual,
    most: (TIMES - 1) * usual,
    tenant: (chance) => (load.offenders === 1 ? OFFENDER : chance.below(load.offenders)),
    comesAgain: 0,
    ...spanOf(load),
  });
  const rules = (sources: readonly Source[], load: Load): RunRules => ({
    seed,
    metrics: { groups: 2, tenants, tenantGroup: (tenant) => (tenant < load.offenders ? FLOOD : OTHERS) },
    target: { capacity: () => capacity, beyond: 'wait' },
    sources,
    seconds: seconds + (load.times - 1) * floodSeconds,
    sampleSeconds: quick ? 5 : 3,
    measured: spanOf(load),
  });
  const admit = { backlog };
  const several = four(capacity);
  const ways: [string, Load, (parts: Parts) => Built][] = [
    ['Sluice', ONE, sluice({ concurrency: capacity, divide: { capacity }, admit })],
    [WEIGHTED, several, sluice({ concurrency: capacity, divide: { capacity, quotas: several.quotas }, admit })],
    ['lanes limited alone', ONE, sluice({ concurrency: capacity / 4, admit })],
    ['Sluice, no backpressure', ONE, sluice({ concurrency: capacity, divide: { capacity } })],
    ['one FIFO queue', ONE, pool(({ world }) => oneFifo(world.tasks), capacity)],
    ['a queue per tenant, round robin', ONE, pool(({ world }) => roundRobin(world.tasks), capacity)],
    ['hash to one of 8', ONE, hashToOne(({ world }) => oneFifo(world.tasks), capacity, 8)],
    ['SQS fair queue', ONE, pool(({ world }) => sqsFair(world), capacity)],
  ];
  const counted = Array.from({ length: tenants }, (_, n) => n).filter((n) => perSecond * floodSeconds * sizes.share(n) >= COUNTED);
  let tasks = 0;
  const done = ways.map(([name, load, build]) => {
    const calm = runWay(name, rules([all], load), build, read);
    const loud = runWay(name, rules([all, flood(load)], load), build, read);
    tasks += submitted(calm.metrics) + submitted(loud.metrics);
    return { ...loud.way, numbers: compare(calm, loud, { load, counted, capacity, ms: load.times * floodSeconds * 1000 }) };
  });
  const ours = done[0]!.numbers;
  const weighted = done.find(({ name }) => name === WEIGHTED)!.numbers;
  return {
    name: 'noisy-neighbour',
    title: 'One of 10,000 tenants floods',
    question: `What do the others notice when the biggest of ${tenants.toLocaleString('en')} tenants submits ${TIMES} times as much as usual for ${floodSeconds} seconds?`,
    setup: [
      `${perSecond} tasks a second; tenants by Zipf's law (the biggest ${usual.toFixed(1)} a second); an attempt takes ${workMs / 1000} s (log-normal); ${capacity} attempts at once in all.`,
      `The flood comes after ${calmSeconds} seconds. Waits are from acceptance to the first attempt, of tasks accepted while it lasts, compared with a run of the same seed without it.`,
      `Sluice has a bound of 100,000 waiting tasks for each tenant. Others that are refused come again when they are told to; the flood does not.`,
      `Four flood: the four biggest submit as much together as the one does, for ${several.times} times as long; the first three have weights 1, 2 and 4, the fourth weight 1 and a guarantee of ${several.quotas.get(3)!.guaranteed} attempts at once.`,
      `Weighted service: the work done for a tenant while the flood lasts, divided by its fair share of the capacity (weighted max-min of what all ask for, a guarantee first). Jain's index is of the ${counted.length} tenants of whom at least ${COUNTED} tasks are expected in ${floodSeconds} seconds, one by one; of the four that flood, of their shares of what is done. The offender's part is the least of those that flood.`,
    ],
    ways: done,
    columns: [
      { field: 'calmP99', label: 'others, p99 calm (ms)' },
      { field: 'p99', label: 'p99 in the flood (ms)' },
      { field: 'p99Ratio', label: 'ratio' },
      { field: 'maxWait', label: 'longest wait (s)' },
      { field: 'jain', label: 'Jain index' },
      { field: 'offender', label: "offender's part of its fair share" },
      { field: 'utilisation', label: 'utilisation' },
      { field: 'refusedOfOffender', label: "of the refused, the offender's" },
      { field: 'refusedOfOthers', label: 'others refused' },
      { field: 'mostLive', label: 'most tasks waiting' },
    ],
    goals: [
      { what: "p99 of the others' waits, compared with the calm run", value: ours['p99Ratio']!, is: '<=', bound: 1.1 },
      { what: 'Jain index of weighted service', value: ours['jain']!, is: '>=', bound: 0.95 },
      { what: 'weights and a guarantee: Jain index of all', value: weighted['jain']!, is: '>=', bound: 0.95 },
      { what: 'weights and a guarantee: of the four that flood', value: weighted['jainOfOffenders']!, is: '>=', bound: 0.95 },
      { what: "weights and a guarantee: p99 of the others' waits, compared", value: weighted['p99Ratio']!, is: '<=', bound: 1.1 },
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
      'All small lanes together are one claimant of the division, with the weight of all of them: they draw on the entry pool, each on a tenth of the capacity at most. The offender has a share of its own from the eleventh second on, and its whole share after some fifteen.',
      "From then on utilisation is 0.79 to 0.86 while 100,000 of the offender's tasks wait. A permit is held for a tenth longer than its task runs, for dispatch and settle: pools of workers come to no more than 0.92 for the same reason. And the entry pool is given four standard deviations more than small lanes need just now, some 90 of 900, so that chance makes none of them wait: what they do not use nobody else may. So the offender gets little more than half of its fair share of the whole capacity, and all of it of what is done.",
      'Of the four that flood at once each draws a tenth of the capacity from the entry pool until control divides: with what the others need that is more than there is, and for ten seconds those wait. Weights and the guarantee then decide, of what is done.',
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

interface Compared {
  readonly load: Load;
  /** Tenants that count one by one. */
  readonly counted: readonly number[];
  readonly capacity: number;
  /** For which the flood lasts. */
  readonly ms: number;
}

function compare(calm: Ran, loud: Ran, { load, counted, capacity, ms }: Compared): Record<string, number> {
  const calmP99 = calm.metrics.groups[OTHERS]!.waits.percentile(99);
  const others = loud.metrics.groups[OTHERS]!;
  const refused = others.refused + loud.metrics.groups[FLOOD]!.refused;
  const p99 = others.waits.percentile(99);
  const parts = partsOf(calm.metrics, loud.metrics, load, { work: capacity * ms, ms });
  const done = loud.metrics.served.reduce((a, b) => a + b, 0);
  // Among them what is done is divided, however much that is.
  const ofDone = partsOf(calm.metrics, loud.metrics, load, { work: Math.floor(done), ms }).slice(0, load.offenders);
  return {
    ...loud.way.numbers,
    calmP99,
    p99,
    p99Ratio: p99 / calmP99,
    maxWait: others.waits.max / 1000,
    jain: jain(counted.map((tenant) => parts[tenant]!)),
    jainOfOffenders: jain(ofDone),
    offender: Math.min(...parts.slice(0, load.offenders)),
    ...Object.fromEntries(ofDone.map((part, tenant) => [`offender ${tenant}, of what is done`, part])),
    utilisation: done / (capacity * ms),
    ...(refused > 0 && { refusedOfOffender: loud.metrics.groups[FLOOD]!.refused / refused }),
    refusedOfOthers: others.refused / others.submitted,
    mostLive: loud.world.tasks.mostLive,
  };
}

/**
 * What each tenant got of its fair share, the weighted max-min one of what all ask for: a tenant that floods for all there is, another
 * one for what is done for it in the calm run.
 */
function partsOf(
  calm: Metrics,
  loud: Metrics,
  { offenders, quotas }: Load,
  { work, ms }: { readonly work: number; readonly ms: number },
): readonly number[] {
  const whole = { capacity: work };
  const fair = divide(
    Array.from(calm.served, (asked, tenant) => {
      const { weight = 1, guaranteed = 0 } = quotas.get(tenant) ?? {};
      const demand = tenant < offenders ? whole.capacity : Math.round(asked);
      return { key: `${tenant}`, weight, guaranteed: guaranteed * ms, demand, pools: [whole] };
    }),
    0,
  );
  return fair.map(({ needed }, tenant) => loud.served[tenant]! / Math.max(1, needed));
}

export const noisyNeighbour: Scenario = { name: 'noisy-neighbour', run };
