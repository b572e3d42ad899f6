import { shuffleShard } from '../../../core/routing/shuffle-shard.ts';
import { hash32 } from '../../../core/routing/shuffle-shard.ts';
import type { Source } from '../model/arrivals.ts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { runWay } from '../run.ts';
import { nameOf } from '../systems/shard-queues.ts';
import { sluice } from './ways.ts';
import { mean } from '../engine/metrics.ts';

const MINUTES = 60;
/** Tasks a second of one tenant. */
const EACH = 0.01;
/** Queues that an operator would add on the way: from so many tenants on. */
const STEPS = [
  [0, 8],
  [5_000, 16],
  [20_000, 32],
] as const;
/** $ a month of an idle queue with its event source, three classes. */
const IDLE_QUEUE = 3 * 0.2;

function run({ seed, quick }: Options): Result {
  const [first, last] = quick ? [100, 5_000] : [1_000, 50_000];
  const minutes = quick ? 10 : MINUTES;
  const seconds = minutes * 60;
  const tenantsAt = (now: number): number => Math.round(first * (last / first) ** Math.min(1, now / (seconds * 1_000)));
  const source: Source = {
    name: 'all',
    perSecond: (now) => EACH * tenantsAt(now),
    most: EACH * last,
    tenant: (chance) => chance.below(count),
    workMs: (chance) => chance.logNormal(500, 0.5),
  };
  let count: number = first;
  const layouts: [string, number, number][] = [
    ['Sluice, 2 of 32', 32, 2],
    ['Sluice, 2 of 8', 8, 2],
    ['hash to one of 32', 32, 1],
  ];
  let tasks = 0;
  const done = layouts.map(([name, shards, shardsPerTenant]) => {
    count = first;
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 1, tenants: last, tenantGroup: () => 0 },
        target: { capacity: () => 1_000_000, beyond: 'wait' },
        sources: [source],
        seconds,
        sampleSeconds: seconds / 60,
      },
      (parts) => {
        parts.world.every(1_000, () => (count = tenantsAt(parts.world.now)));
        const built = sluice({ shards, shardsPerTenant, start: 'wait' })(parts);
        return { ...built, probe: () => ({ ...built.probe?.(), tenants: tenantsAt(parts.world.now) }) };
      },
      () => ({}),
    );
    tasks += ran.metrics.groups[0]!.submitted;
    const { rows } = ran.way;
    const early = mean(rows.slice(5, 15).map((row) => row['p99 0']!));
    const late = mean(rows.slice(-10).map((row) => row['p99 0']!));
    const numbers: Record<string, number> = {
      p99First: early,
      p99Last: late,
      ratio: late / early,
      queues: 3 * shards,
      idle: shards * IDLE_QUEUE,
    };
    return { ...ran.way, numbers };
  });
  const growth = moved(
    STEPS.map(([, shards]) => shards),
    quick ? 5_000 : 20_000,
  );
  done.push({ name: 'a queue per tenant', numbers: { queues: 3 * last, idle: last * IDLE_QUEUE }, rows: [] });
  const ours = done[0]!.numbers;
  return {
    name: 'tenant-growth',
    title: `From ${first.toLocaleString('en')} to ${last.toLocaleString('en')} tenants`,
    question: `The number of tenants grows ${last / first}× in ${minutes} minutes. Do the tasks notice, what do the queues cost, and whom does it move when queues are added?`,
    setup: [
      `Each tenant submits ${EACH} tasks a second of 0.5 s. The 99th percentile is the mean of ten samples near the beginning, and of the last ten.`,
      `Moved: of 2 queues that each tenant has, the part that changes when 8 queues become 16, and 16 become 32, by rendezvous hashing and by the hash modulo the number. At least half of them must.`,
      `A queue of each class with its event source costs about $${IDLE_QUEUE.toFixed(2)} a month while it is idle.`,
    ],
    ways: done,
    columns: [
      { field: 'p99First', label: 'p99 at first (ms)' },
      { field: 'p99Last', label: 'p99 at last (ms)' },
      { field: 'ratio', label: 'ratio' },
      { field: 'queues', label: 'queues' },
      { field: 'idle', label: 'idle, $ a month' },
    ],
    goals: [
      { what: 'p99 at last, compared with the beginning', value: ours['ratio']!, is: '<=', bound: 1.1 },
      {
        what: 'queues of a tenant that move when their number doubles, of those that must',
        value: growth.rendezvous / 0.5,
        is: '<=',
        bound: 1.05,
      },
    ],
    panels: [
      { field: 'p99 0', label: 'p99 (ms)' },
      { field: 'tenants', label: 'tenants' },
    ],
    notes: [
      `By the hash modulo the number, ${Math.round(100 * growth.modulo)} % of tenants move when the queues double; by rendezvous hashing ${Math.round(100 * growth.rendezvous)} % of their places.`,
    ],
    seed,
    virtualSeconds: seconds,
    tasks,
  };
}

/** The part of places that change over the steps, at most. */
function moved(steps: readonly number[], tenants: number): { rendezvous: number; modulo: number } {
  let rendezvous = 0;
  let modulo = 0;
  for (let i = 1; i < steps.length; i++) {
    const [before, after] = [steps[i - 1]!, steps[i]!];
    let [places, hashes] = [0, 0];
    for (let tenant = 0; tenant < tenants; tenant++) {
      const name = nameOf(tenant);
      const old = new Set(shuffleShard(name, before, 2));
      places += shuffleShard(name, after, 2).filter((shard) => !old.has(shard)).length / 2;
      hashes += hash32(name) % before === hash32(name) % after ? 0 : 1;
    }
    rendezvous = Math.max(rendezvous, places / tenants);
    modulo = Math.max(modulo, hashes / tenants);
  }
  return { rendezvous, modulo };
}

export const tenantGrowth: Scenario = { name: 'tenant-growth', run };
