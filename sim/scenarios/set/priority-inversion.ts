import { DEFAULT_BOUNDS, SURE_TURNS, TURNS } from '../../../core/priority/turns.ts';
import type { Source } from '../model/arrivals.ts';
import type { Goal, Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, runWay } from '../run.ts';
import { oneFifo, sqsFair, strictPriority } from '../systems/disciplines.ts';
import { pool, sluice } from './ways.ts';

const LIMIT = 20;
const WORK_MS = 1_000;
const BURSTS = 'Sluice, the others in bursts';
const CLASSES = ['high', 'normal', 'low'] as const;
/** s: the overload of high begins. */
const OVERLOAD = 600;

/** What is asked of a lane. */
interface Load {
  readonly limit: number;
  readonly workMs: number;
  readonly sources: readonly Source[];
}

/** High alone asks for more than there is; the others for less than their shares. */
function stream(): Load {
  const capacity = (LIMIT * 1_000) / WORK_MS;
  const load = { limit: LIMIT, workMs: WORK_MS };
  return { ...load, sources: [high(load), evenly(load, 1, 0.04 * capacity), evenly(load, 2, 0.02 * capacity)] };
}

/** As many at once of the others as are within their bounds by the page on priority: m = k ⌊μ × bound / 40⌋. */
function bursts(limit: number, seconds: number): Load {
  const load = { limit, workMs: 2 * WORK_MS };
  const atOnce = (rank: number, bound: number, every: number): Source => ({
    ...evenly(load, rank, 0),
    tasks: burstOf(limit, rank),
    // The last one has its bound to be worked off in.
    at: times(OVERLOAD + every, seconds - bound, every),
  });
  const { normalSeconds, lowSeconds } = DEFAULT_BOUNDS;
  return { ...load, sources: [high(load), atOnce(1, normalSeconds, normalSeconds), atOnce(2, lowSeconds, lowSeconds)] };
}

function burstOf(limit: number, rank: number): number {
  const perSecond = limit / ((2 * WORK_MS) / 1_000);
  const [turns, bound] = rank === 1 ? [SURE_TURNS.normal, DEFAULT_BOUNDS.normalSeconds] : [SURE_TURNS.low, DEFAULT_BOUNDS.lowSeconds];
  return turns * Math.floor((perSecond * bound) / (2 * TURNS));
}

function times(from: number, until: number, every: number): readonly number[] {
  return Array.from({ length: Math.floor((until - from) / every) + 1 }, (_, n) => 1_000 * (from + n * every));
}

type Attempts = Pick<Load, 'limit' | 'workMs'>;

function high(attempts: Attempts): Source {
  const capacity = (attempts.limit * 1_000) / attempts.workMs;
  const all = evenly(attempts, 0, 1.1 * capacity);
  return { ...all, perSecond: (at) => (at < 1_000 * OVERLOAD ? 0.5 * capacity : all.most) };
}

function evenly({ workMs }: Attempts, rank: number, perSecond: number): Source {
  return {
    name: CLASSES[rank]!,
    perSecond: () => perSecond,
    most: perSecond,
    tenant: () => 0,
    workMs: (chance) => chance.logNormal(workMs, 0.3),
    priority: () => rank,
  };
}

function run({ seed, quick }: Options): Result {
  const hours = quick ? 1.2 : 3;
  // Several cells of permits.
  const many = quick ? 80 : 200;
  const manyBursts = `${BURSTS}, ${many} attempts at once`;
  const seconds = hours * 3_600;
  const ways: [string, Load, (parts: Parts) => Built][] = [
    ['Sluice', stream(), sluice({ concurrency: LIMIT, start: 'wait' })],
    [BURSTS, bursts(LIMIT, seconds), sluice({ concurrency: LIMIT, start: 'wait' })],
    [manyBursts, bursts(many, seconds), sluice({ concurrency: many, start: 'wait' })],
    ['strict priority', stream(), pool(({ world }) => strictPriority(world.tasks), LIMIT)],
    ['one FIFO queue', stream(), pool(({ world }) => oneFifo(world.tasks), LIMIT)],
    ['SQS fair queue', stream(), pool(({ world }) => sqsFair(world), LIMIT)],
  ];
  let tasks = 0;
  const done = ways.map(([name, { limit, sources }, build]) => {
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 3, tenants: 1, tenantGroup: () => 0 },
        target: { capacity: () => limit, beyond: 'wait' },
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
    tasks += ran.metrics.submitted;
    const rows = ran.way.rows.map((row) => ({
      ...row,
      ...Object.fromEntries(CLASSES.map((priority, rank) => [priority, row[`p99 ${rank}`]! / 1000])),
    }));
    return { ...ran.way, rows: rows };
  });
  const goals = done
    .filter(({ name }) => name.startsWith('Sluice'))
    .flatMap(({ name, numbers }): Goal[] => [
      { what: `${name}: longest wait of low (s)`, value: numbers['lowMax']!, is: '<=', bound: DEFAULT_BOUNDS.lowSeconds },
      { what: `${name}: longest wait of normal (s)`, value: numbers['normalMax']!, is: '<=', bound: DEFAULT_BOUNDS.normalSeconds },
      ...(name.startsWith(BURSTS)
        ? CLASSES.slice(1).map((priority): Goal => {
            const value = numbers[`${priority}Overdue`]!;
            return { what: `${name}: ${priority} tasks that were overdue, and had a turn for it`, value, is: '>=', bound: 1 };
          })
        : []),
    ]);
  return {
    name: 'priority-inversion',
    title: 'High priority asks for more than there is',
    question: 'What becomes of normal and low tasks of a lane while its high ones alone ask for more than the lane may have, for hours?',
    setup: [
      `One lane of ${LIMIT} attempts at once, ${WORK_MS / 1000} s each. High: half of what the lane can do, and after ten minutes 110 % of it; normal 4 %, low 2 %.`,
      `In bursts: one lane of ${LIMIT} or of ${many} attempts at once, 2 s each, high as before. ${of(burstOf(LIMIT, 1))} normal tasks come at once every ${DEFAULT_BOUNDS.normalSeconds} s and ${of(burstOf(LIMIT, 2))} low ones every ${DEFAULT_BOUNDS.lowSeconds} s, and as many times more as there are more attempts: the most that the bounds hold for, were as many started a second as there are attempts of 2 s.`,
      `The bounds are the defaults: normal ${DEFAULT_BOUNDS.normalSeconds} s, low ${DEFAULT_BOUNDS.lowSeconds} s. What has not begun at the end counts with the time that it has waited.`,
    ],
    ways: done,
    columns: [
      { field: 'highP99', label: 'high, p99 (s)' },
      { field: 'normalMax', label: 'normal, longest (s)' },
      { field: 'lowMax', label: 'low, longest (s)' },
      { field: 'normalOverdue', label: 'normal, on turns of the overdue' },
      { field: 'lowOverdue', label: 'low, on turns of the overdue' },
      { field: 'highServed', label: 'high, served (1/s)' },
      { field: 'normalServed', label: 'normal (1/s)' },
      { field: 'lowServed', label: 'low (1/s)' },
    ],
    goals,
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

function of(tasks: number): string {
  return tasks.toLocaleString('en');
}

export const priorityInversion: Scenario = { name: 'priority-inversion', run };
