import { zipf } from '../engine/chance.ts';
import type { Source } from '../model/arrivals.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, type Ran, runWay, type RunRules } from '../run.ts';
import { bucketPerTenant, oneBucket } from '../systems/limits.ts';
import { sluice } from './ways.ts';

const OTHERS = 0;
const BURST = 1;
const TENANTS = 1_000;
const OFFENDER = 0;
const FROM = 60;
const MESSAGE = 10;
const FLOODED = 'Sluice, a flood of five minutes';
/** Messages a second of the flood: less than an environment holds back by itself. */
const FLOOD = 900;
/** Invocations of dispatch for each queue while it lasts, the fewest that an event source may have: its two queues give off some 730 a second. */
const FEW = 2;

/** What the offender sends, and for how long it is looked at. */
interface Load {
  readonly messages: number;
  readonly size: number;
  readonly lasts: number;
  readonly seconds: number;
}

function run({ seed, quick }: Options): Result {
  const burst = quick ? 20_000 : 100_000;
  const atOnce: Load = { messages: burst / MESSAGE, size: MESSAGE, lasts: 10, seconds: 120 };
  const long: Load = { messages: FLOOD, size: quick ? 2 : MESSAGE, lasts: 300, seconds: 420 };
  const sizes = zipf(TENANTS - 1, 1);
  const perSecond = 500;
  const others: Source = {
    name: 'others',
    perSecond: () => perSecond,
    most: perSecond,
    tenant: (chance) => 1 + sizes.draw(chance),
    workMs: (chance) => chance.logNormal(500, 0.5),
    comesAgain: 3,
  };
  const offender = ({ messages, size, lasts }: Load): Source => ({
    ...others,
    name: 'burst',
    perSecond: () => messages,
    most: messages,
    tenant: () => OFFENDER,
    tasks: size,
    comesAgain: 0,
    from: FROM * 1_000,
    until: (FROM + lasts) * 1_000,
  });
  const rules = (sources: readonly Source[], { lasts, seconds }: Load): RunRules => ({
    seed,
    metrics: { groups: 2, tenants: TENANTS, tenantGroup: (tenant) => (tenant === OFFENDER ? BURST : OTHERS) },
    target: { capacity: () => 1_000, beyond: 'wait' },
    sources,
    seconds,
    sampleSeconds: 2,
    measured: { from: FROM * 1_000, until: (FROM + lasts) * 1_000 },
  });
  const { perSecond: rate, burst: size } = PARAMETERS.api;
  const base = { concurrency: 50, maxConcurrency: 20 } as const;
  const few = { ...base, maxConcurrency: FEW };
  const ways: [string, Load, (parts: Parts) => Built][] = [
    ['Sluice', atOnce, sluice({ ...base, admit: {} })],
    ['Sluice, a bound of 100,000 waiting tasks', atOnce, sluice({ ...base, admit: { backlog: 100_000 } })],
    ['Sluice, pressed from a second on', atOnce, sluice({ ...base, admit: {}, pressure: { waitSeconds: 1, relieveSeconds: 5 } })],
    ['no backpressure', atOnce, sluice(base)],
    ['one rate limit for all', atOnce, (parts) => ({ ...sluice(base)(parts), entrance: oneBucket(parts.world, rate, size) })],
    ['a rate limit per tenant, 50/s', atOnce, (parts) => ({ ...sluice(base)(parts), entrance: bucketPerTenant(parts.world, 50, 250) })],
    [FLOODED, long, sluice({ ...few, admit: {} })],
    ['the flood, no backpressure', long, sluice(few)],
  ];
  let tasks = 0;
  const done = ways.map(([name, load, build]) => {
    const calm = runWay(name, rules([others], load), build, read);
    const loud = runWay(name, rules([others, offender(load)], load), build, read);
    for (const { metrics } of [calm, loud]) tasks += metrics.submitted;
    const other = loud.metrics.groups[OTHERS]!;
    const refused = other.refused + loud.metrics.groups[BURST]!.refused;
    const p99 = other.waits.percentile(99);
    const calmP99 = calm.metrics.groups[OTHERS]!.waits.percentile(99);
    const numbers = {
      ...loud.way.numbers,
      calmP99,
      p99,
      p99Ratio: p99 / calmP99,
      mostLive: loud.world.tasks.mostLive,
      refusedOfOthers: other.refused / other.submitted,
      refusedOfBurst: loud.metrics.groups[BURST]!.refused / Math.max(1, loud.metrics.groups[BURST]!.submitted),
      ...(refused > 0 && { refusedOfOffender: loud.metrics.groups[BURST]!.refused / refused }),
    } as Record<string, number>;
    return { ...loud.way, numbers };
  });
  const ours = done[0]!.numbers;
  const flooded = done.find(({ name }) => name === FLOODED)!.numbers;
  return {
    name: 'burst',
    title: `A burst of ${burst.toLocaleString('en')} submissions a second`,
    question: `One tenant submits ${burst.toLocaleString('en')} tasks a second for ${atOnce.lasts} seconds. Who is refused, and what do the others notice?`,
    setup: [
      `${TENANTS - 1} others submit ${perSecond} tasks a second (Zipf). The burst comes in batches of ${MESSAGE}. Lanes of ${base.concurrency}; ${base.maxConcurrency} invocations of dispatch at once for each of ${PARAMETERS.shards} shard queues.`,
      `Sluice samples in ${PARAMETERS.environments} environments and has no bounds for tenants but for what comes all at once; while the shared queues are pressed, tenants above their fair share are refused. Others come again when they are told to.`,
      `The flood: for five minutes ${FLOOD} messages a second of ${long.size} tasks each, which no environment holds back by itself, and ${FEW} invocations of dispatch at once for each queue, the fewest that an event source may have. No tenant has bounds.`,
      `One rate limit: the API's, ${rate.toLocaleString('en')} tasks a second with a burst of ${size.toLocaleString('en')}.`,
    ],
    ways: done,
    columns: [
      { field: 'calmP99', label: 'others, p99 calm (ms)' },
      { field: 'p99', label: 'p99 in the burst (ms)' },
      { field: 'refusedOfBurst', label: 'of the burst refused' },
      { field: 'refusedOfOthers', label: 'of the others refused' },
      { field: 'refusedOfOffender', label: "of the refused, the offender's" },
      { field: 'pressed', label: 'decisions under pressure' },
      { field: 'mostLive', label: 'most tasks waiting' },
    ],
    goals: [
      { what: "refusals that are the offender's", value: ours['refusedOfOffender'] ?? Number.NaN, is: '>=', bound: 0.98 },
      { what: 'refused of what well-behaved tenants submit', value: ours['refusedOfOthers']!, is: '<=', bound: 0.001 },
      { what: "p99 of the others' waits, compared with the calm run", value: ours['p99Ratio']!, is: '<=', bound: 1.1 },
      {
        what: 'the flood: decisions of control under which a tenant is refused for pressing',
        value: flooded['pressed']!,
        is: '>=',
        bound: 1,
      },
      { what: "the flood: refusals that are the offender's", value: flooded['refusedOfOffender'] ?? Number.NaN, is: '>=', bound: 0.98 },
      { what: 'the flood: refused of what well-behaved tenants submit', value: flooded['refusedOfOthers']!, is: '<=', bound: 0.001 },
    ],
    panels: [
      { field: 'p99 0', label: "others' p99 (ms)", log: true },
      { field: 'live', label: 'tasks waiting or running', log: true },
      { field: 'queued', label: 'messages in shard queues', log: true },
    ],
    notes: [
      'The burst is over before the shared queues could count as pressed: reports, the decision and caches take up to 20 s together. What refuses it is each environment by itself, for it samples a tenant that sends more than its part of 1,000 messages a second; so neither a bound of its own nor less patience with the queues makes a difference here.',
      `The flood is what that lets pass, and the queues do not give off: it is refused in proportion to its excess once a message waits for half a minute on average, some three minutes after it began. Until then, and while it is worked off, tenants wait that share both of its queues: one in 28, which is all that the p99 shows.`,
    ],
    seed,
    virtualSeconds: Math.max(atOnce.seconds, long.seconds),
    tasks,
  };
}

function read({ metrics }: Omit<Ran, 'way'>): Record<string, number> {
  return { p99: metrics.groups[OTHERS]!.waits.percentile(99) };
}

export const burst: Scenario = { name: 'burst', run };
