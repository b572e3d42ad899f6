import { DEFAULT_BOUNDS } from '../../../core/priority/turns.ts';
import type { Source } from '../model/arrivals.ts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, runWay } from '../run.ts';
import { oneFifo, sqsFair, strictPriority } from '../systems/disciplines.ts';
import { pool, sluice } from './ways.ts';

const LIMIT = 20;
const WORK_MS = 1_000;
const CLASSES = ['high', 'normal', 'low'] as const;

function run({ seed, quick }: Options): Result {
  const hours = quick ? 1 : 3;
  const seconds = hours * 3_600;
  const capacity = (LIMIT * 1_000) / WORK_MS;
  // High alone asks for more than there is; the others for less than their shares.
  const perSecond = [1.1 * capacity, 0.04 * capacity, 0.02 * capacity];
  const sources = CLASSES.map((name, rank): Source => {
    const rate = perSecond[rank]!;
    // The overload of high begins after ten minutes.
    const now = rank === 0 ? (at: number): number => (at < 600_000 ? 0.5 * capacity : rate) : (): number => rate;
    return { name, perSecond: now, most: rate, tenant: () => 0, workMs: (chance) => chance.logNormal(WORK_MS, 0.3), priority: () => rank };
  });
  const ways: [string, (parts: Parts) => Built][] = [
    ['Sluice', sluice({ concurrency: LIMIT, start: 'wait' })],
    ['strict priority', pool(({ world }) => strictPriority(world.tasks), LIMIT)],
    ['one FIFO queue', pool(({ world }) => oneFifo(world.tasks), LIMIT)],
    ['SQS fair queue', pool(({ world }) => sqsFair(world), LIMIT)],
  ];
  let tasks = 0;
  const done = ways.map(([name, build]) => {
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 3, tenants: 1, tenantGroup: () => 0 },
        target: { capacity: () => LIMIT, beyond: 'wait' },
        sources,
        seconds,
        sampleSeconds: 60,
        byClass: true,
      },
      build,
      ({ metrics }) =>
        Object.fromEntries(
          CLASSES.flatMap((priority, rank) => {
            const { waits, succeeded } = metrics.groups[rank]!;
            return [
              [`${priority}P99`, waits.percentile(99) / 1000],
              [`${priority}Max`, waits.max / 1000],
              [`${priority}Served`, succeeded / seconds],
            ];
          }),
        ),
    );
    tasks += ran.metrics.groups[0]!.submitted;
    const rows = ran.way.rows.map((row) => ({
      ...row,
      ...Object.fromEntries(CLASSES.map((priority, rank) => [priority, row[`p99 ${rank}`]! / 1000])),
    }));
    return { ...ran.way, rows: rows };
  });
  const ours = done[0]!.numbers;
  return {
    name: 'priority-inversion',
    title: 'High priority asks for more than there is',
    question: 'What becomes of normal and low tasks of a lane while its high ones alone ask for more than the lane may have, for hours?',
    setup: [
      `One lane of ${LIMIT} attempts at once, ${WORK_MS / 1000} s each. High: half of what the lane can do, and after ten minutes 110 % of it; normal 4 %, low 2 %.`,
      `The bounds are the defaults: normal ${DEFAULT_BOUNDS.normalSeconds} s, low ${DEFAULT_BOUNDS.lowSeconds} s. What has not begun at the end counts with the time that it has waited.`,
    ],
    ways: done,
    columns: [
      { field: 'highP99', label: 'high, p99 (s)' },
      { field: 'normalMax', label: 'normal, longest (s)' },
      { field: 'lowMax', label: 'low, longest (s)' },
      { field: 'highServed', label: 'high, served (1/s)' },
      { field: 'normalServed', label: 'normal (1/s)' },
      { field: 'lowServed', label: 'low (1/s)' },
    ],
    goals: [
      { what: 'longest wait of low (s)', value: ours['lowMax']!, is: '<=', bound: DEFAULT_BOUNDS.lowSeconds },
      { what: 'longest wait of normal (s)', value: ours['normalMax']!, is: '<=', bound: DEFAULT_BOUNDS.normalSeconds },
    ],
    panels: [
      { field: 'high', label: 'high, p99 (s)', log: true },
      { field: 'normal', label: 'normal, p99 (s)', log: true },
      { field: 'low', label: 'low, p99 (s)', log: true },
    ],
    seed,
    virtualSeconds: seconds,
    tasks,
  };
}

export const priorityInversion: Scenario = { name: 'priority-inversion', run };
