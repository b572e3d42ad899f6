import { chanceOfSharing } from '../../../core/routing/sharing.ts';
import { zipf } from '../engine/chance.ts';
import { PRIORITIES } from '@sluice/contracts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { runWay } from '../run.ts';
import { sluice } from './ways.ts';

const OTHERS = 0;
const POISON = 1;
const OFFENDER = 0;
const FROM = 60;
const UNTIL = 360;

function run({ seed, quick }: Options): Result {
  const tenants = quick ? 500 : 5_000;
  const perSecond = quick ? 100 : 400;
  const seconds = UNTIL + 120;
  const sizes = zipf(tenants, 0.5);
  const layouts: [string, number, number][] = [
    ['Sluice, 2 of 8', 8, 2],
    ['Sluice, 2 of 32', 32, 2],
    ['Sluice, 3 of 32', 32, 3],
    ['hash to one of 8', 8, 1],
    ['hash to one of 32', 32, 1],
    ['one queue', 1, 1],
  ];
  let tasks = 0;
  const done = layouts.map(([name, shards, shardsPerTenant]) => {
    const slow = new Set<number>();
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 2, tenants, tenantGroup: (tenant) => (tenant === OFFENDER ? POISON : OTHERS) },
        target: { capacity: () => Infinity, beyond: 'wait' },
        sources: [{ name: 'all', perSecond: () => perSecond, most: perSecond, tenant: sizes.draw, workMs: () => 200 }],
        seconds,
        sampleSeconds: 5,
        measured: { from: FROM * 1_000, until: UNTIL * 1_000 },
      },
      (parts) => {
        const built = sluice({ shards, shardsPerTenant, concurrency: 50, start: 'wait' })(parts);
        const kill = parts.world.on(() => {
          for (const shard of built.sluice.queues.shardsOf(OFFENDER))
            for (const rank of PRIORITIES.keys()) built.sluice.queues.sources[rank]![shard]!.kill(UNTIL * 1_000);
        });
        kill(FROM * 1_000);
        return built;
      },
      ({ metrics, world }) => {
        const { waits } = metrics.groups[OTHERS]!;
        return {
          p50: waits.percentile(50),
          p90: waits.percentile(90) / 1000,
          p99: waits.percentile(99) / 1000,
          late: metrics.lateIn(OTHERS) / waits.count,
          live: world.tasks.live,
        };
      },
    );
    tasks += ran.metrics.submitted;
    for (let tenant = 1; tenant < tenants; tenant++)
      if (isStuck(ran.metrics.lateOf[tenant]!, ran.metrics.startedOf[tenant]!)) slow.add(tenant);
    const numbers: Record<string, number> = {
      ...ran.way.numbers,
      stuck: slow.size / (tenants - 1),
      expected: chanceOfSharing(shards, shardsPerTenant, shardsPerTenant),
    };
    return { ...ran.way, numbers };
  });
  const ours = done[0]!.numbers;
  return {
    name: 'poison-tenant',
    title: 'A tenant kills its queues',
    question: `For five minutes nothing that comes by the queues of one tenant is worked on. How many of ${(tenants - 1).toLocaleString('en')} others does that stop?`,
    setup: [
      `${perSecond} tasks a second (Zipf, exponent 0.5). From second ${FROM} to ${UNTIL} the offender's shard queues are not received from.`,
      'Stopped: a tenant of whose tasks in that time at least 90 % waited for more than ten seconds. Expected: the chance to share all queues with the offender, 1 / C(N, k).',
      'Submitters read the depths of queues, up to a minute old, and prefer the shorter one of a tenant: those with one healthy queue are late only until then.',
    ],
    ways: done,
    columns: [
      { field: 'stuck', label: 'tenants stopped' },
      { field: 'expected', label: 'expected' },
      { field: 'late', label: 'tasks late by 10 s' },
      { field: 'p50', label: 'p50 (ms)' },
      { field: 'p90', label: 'p90 (s)' },
      { field: 'p99', label: 'p99 (s)' },
    ],
    goals: [
      { what: 'tenants stopped, of those expected to be by the formula', value: ours['stuck']! / ours['expected']!, is: '<=', bound: 1.5 },
      { what: 'tasks of others that are late by 10 s', value: ours['late']!, is: '<=', bound: 0.1 },
    ],
    panels: [
      { field: 'p99 0', label: "others' p99 (ms)", log: true },
      { field: 'live', label: 'tasks waiting or running', log: true },
    ],
    seed,
    virtualSeconds: seconds,
    tasks,
  };
}

function isStuck(late: number, started: number): boolean {
  return late > 0 && late >= 0.9 * started;
}

export const poisonTenant: Scenario = { name: 'poison-tenant', run };
