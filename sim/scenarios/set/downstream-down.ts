import type { Source } from '../model/arrivals.ts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, runWay } from '../run.ts';
import { oneFifo } from '../systems/disciplines.ts';
import type { PoolRules } from '../systems/pool.ts';
import { byBackoff, bySqs, pool, RETRY, sluice } from './ways.ts';

const TENANTS = 20;
const CAPACITY = 200;
const WORK_MS = 300;
const CRASH_MS = 200;
const DOWN = 120;
const UP = 720;
const END = 1_800;

function run({ seed, quick }: Options): Result {
  const perSecond = quick ? 40 : 200;
  const source: Source = {
    name: 'all',
    perSecond: () => perSecond,
    most: perSecond,
    tenant: (chance) => chance.below(TENANTS),
    workMs: (chance) => chance.logNormal(WORK_MS, 0.3),
  };
  const down = (now: number): boolean => now >= DOWN * 1_000 && now < UP * 1_000;
  const fifo = (again: (parts: Parts) => PoolRules['again'], slots = CAPACITY) => pool(({ world }) => oneFifo(world.tasks), slots, again);
  const ways: [string, (parts: Parts) => Built][] = [
    ['Sluice', sluice({ concurrency: 20, breaker: true })],
    ['Sluice, no breaker', sluice({ concurrency: 20 })],
    ['SQS alone, 5 receives', fifo(bySqs)],
    ['backoff, 5 attempts', fifo(byBackoff)],
    ['again every 30 s, without end', fifo(() => () => 30_000)],
  ];
  let tasks = 0;
  const done = ways.map(([name, build]) => {
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 1, tenants: TENANTS, tenantGroup: () => 0 },
        target: {
          // What is gone tells nobody that it is full: a throttle would say that it is alive.
          capacity: (now) => (down(now) ? 100 * CAPACITY : CAPACITY),
          beyond: 'wait',
          slow: (now) => (down(now) ? CRASH_MS / WORK_MS : 1),
          end: (_, now) => (down(now) ? 'crashed' : 'succeeded'),
        },
        sources: [source],
        seconds: END,
        sampleSeconds: 10,
      },
      build,
      () => ({}),
    );
    tasks += ran.metrics.groups[0]!.submitted;
    const { rows } = ran.way;
    const at = (field: string, second: number): number => rows.findLast(({ seconds }) => seconds! <= second)?.[field] ?? 0;
    const { dead, submitted } = ran.metrics.groups[0]!;
    // Live tasks are those of a calm moment again.
    const calm = 2 * at('live', DOWN - 10) + 50;
    const recovered = rows.find(({ seconds, live }) => seconds! > UP && live! <= calm)?.['seconds'] ?? Infinity;
    const numbers = {
      dead,
      deadShare: dead / submitted,
      wasted: at('failures 0', UP) - at('failures 0', DOWN),
      recovery: recovered - UP,
      mostLive: ran.world.tasks.mostLive,
    };
    return { ...ran.way, numbers: { ...ran.way.numbers, ...numbers } };
  });
  const [ours, plain] = [done[0]!.numbers, done[4]!.numbers];
  return {
    name: 'downstream-down',
    title: 'What is downstream is gone for ten minutes',
    question: `Every attempt crashes from minute ${DOWN / 60} to ${UP / 60}. What is given up, what is tried in vain, and how soon is all well again?`,
    setup: [
      `${TENANTS} tenants, ${perSecond} tasks a second of ${WORK_MS / 1000} s; ${CAPACITY} attempts at once downstream. While it is down an attempt takes ${CRASH_MS / 1000} s and crashes, as one whose connections are refused.`,
      `Well again: as few tasks wait or run as before. A type has ${RETRY.maxAttempts} attempts; the third crash that counts quarantines a task.`,
    ],
    ways: done,
    columns: [
      { field: 'dead', label: 'tasks given up' },
      { field: 'deadShare', label: 'of all' },
      { field: 'wasted', label: 'attempts in vain' },
      { field: 'recovery', label: 'well again after (s)' },
      { field: 'mostLive', label: 'most tasks waiting' },
    ],
    goals: [
      { what: 'tasks given up', value: ours['dead'], is: '<=', bound: 0 },
      {
        what: 'attempts in vain, compared with trying every 30 s',
        value: ours['wasted'] / Math.max(1, plain['wasted']),
        is: '<=',
        bound: 0.1,
      },
    ],
    panels: [
      { field: 'live', label: 'tasks waiting or running' },
      { field: 'running', label: 'attempts that run' },
      { field: 'dead 0', label: 'tasks given up' },
    ],
    notes: [
      'Alternatives have as many workers as what is downstream takes at once, so that a crash that is quick makes them quicker: they go through all that waits again and again. The slower the crash, the less is given up and the fewer are tried in vain: of crashes that take 3 s, nothing is given up by any of them, and 39,000 are tried in vain.',
      'The breaker looks every 5 s at first, and each time twice as long after that, up to every 5 minutes: it may notice so late that all is well, and what waited is worked off in waves then. Attempts that had begun before it was known to be open crash, and count for nothing.',
    ],
    seed,
    virtualSeconds: END,
    tasks,
  };
}

export const downstreamDown: Scenario = { name: 'downstream-down', run };
