import type { Source } from '../model/arrivals.ts';
import type { Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, runWay } from '../run.ts';
import { oneFifo } from '../systems/disciplines.ts';
import type { PoolRules } from '../systems/pool.ts';
import { byBackoff, pool, RETRY, sluice } from './ways.ts';

const TENANTS = 20;
const CAPACITY = 100;
const WORK_MS = 200;
const TIMEOUT_MS = 1_000;
const FROM = 120;
const UNTIL = 180;
const END = 900;

function run({ seed, quick }: Options): Result {
  const scale = quick ? 0.3 : 1;
  const capacity = CAPACITY * scale;
  const usual = 0.7 * ((capacity * 1_000) / WORK_MS);
  const source: Source = {
    name: 'all',
    perSecond: () => usual,
    most: usual,
    tenant: (chance) => chance.below(TENANTS),
    workMs: (chance) => chance.logNormal(WORK_MS, 0.3),
  };
  const disturbed = (now: number): boolean => now >= FROM * 1_000 && now < UNTIL * 1_000;
  const all = (again: (parts: Parts) => PoolRules['again']) => pool(({ world }) => oneFifo(world.tasks), Infinity, again);
  const ways: [string, (parts: Parts) => Built][] = [
    ['Sluice', sluice({ concurrency: Math.round(10 * scale), start: 'wait', retryBudget: true })],
    ['Sluice, retries without a budget', sluice({ concurrency: Math.round(10 * scale), start: 'wait' })],
    ['Sluice, wide lanes', sluice({ concurrency: 500, start: 'wait', retryBudget: true })],
    ['Sluice, wide lanes, retries without a budget', sluice({ concurrency: 500, start: 'wait' })],
    [
      'no limit, again at once',
      all(
        ({ world }) =>
          (task) =>
            world.tasks.starts[task]! < RETRY.maxAttempts ? 0 : undefined,
      ),
    ],
    [
      'no limit, again after 1 s',
      all(
        ({ world }) =>
          (task) =>
            world.tasks.starts[task]! < RETRY.maxAttempts ? 1_000 : undefined,
      ),
    ],
    ['no limit, backoff with jitter', all(byBackoff)],
  ];
  let tasks = 0;
  const done = ways.map(([name, build]) => {
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 1, tenants: TENANTS, tenantGroup: () => 0 },
        target: { capacity: () => capacity, beyond: 'congest', slow: (now) => (disturbed(now) ? 4 : 1), timeoutMs: TIMEOUT_MS },
        sources: [source],
        seconds: END,
        sampleSeconds: 5,
      },
      build,
      () => ({}),
    );
    const [group] = ran.metrics.groups;
    tasks += group!.submitted;
    const { rows } = ran.way;
    const rate = (field: string, i: number): number => ((rows[i]?.[field] ?? 0) - (rows[i - 1]?.[field] ?? 0)) / 5;
    const withRates = rows.map((row, i) => ({
      ...row,
      seconds: row['seconds'] ?? 0,
      goodput: rate('succeeded 0', i),
      tries: rate('attempts 0', i),
    }));
    const after = withRates.filter(({ seconds }) => seconds > UNTIL);
    const recovered = after.find(({ goodput, tries }) => goodput >= 0.9 * usual && tries <= 1.2 * usual)?.seconds ?? Infinity;
    const numbers = {
      dead: group!.dead,
      deadShare: group!.dead / group!.submitted,
      amplification: group!.attempts / group!.firsts,
      peak: Math.max(...withRates.map(({ tries }) => tries)) / usual,
      recovery: recovered - UNTIL,
      lastGoodput: withRates.slice(-12).reduce((sum, { goodput }) => sum + goodput, 0) / 12 / usual,
    };
    return { name, numbers: { ...ran.way.numbers, ...numbers }, rows: withRates };
  });
  const ours = done[0]!.numbers;
  return {
    name: 'retry-storm',
    title: 'Retries keep an overload alive',
    question: `What is downstream is four times slower for a minute, and gets slower the more is asked of it. Does it come back by itself?`,
    setup: [
      `${TENANTS} tenants, ${usual.toFixed(0)} tasks a second, 70 % of what is downstream can do (${capacity} at once, ${WORK_MS / 1000} s each). Beyond that everything takes longer in proportion, and what takes ${TIMEOUT_MS / 1000} s is cut off and has failed.`,
      `Slower from second ${FROM} to ${UNTIL}. Well again: 90 % of the usual goodput at no more than 120 % of the usual tries.`,
    ],
    ways: done,
    columns: [
      { field: 'amplification', label: 'attempts of a task' },
      { field: 'peak', label: 'most tries, of the usual' },
      { field: 'recovery', label: 'well again after (s)' },
      { field: 'lastGoodput', label: 'goodput in the last minute' },
      { field: 'dead', label: 'tasks given up' },
    ],
    goals: [
      { what: 'well again after the disturbance (s)', value: ours['recovery'], is: '<=', bound: 300 },
      { what: 'attempts of a task', value: ours['amplification'], is: '<=', bound: 1.2 },
      { what: 'tasks given up', value: ours['dead'], is: '<=', bound: 0 },
    ],
    panels: [
      { field: 'goodput', label: 'succeeded (1/s)' },
      { field: 'tries', label: 'attempts (1/s)' },
      { field: 'live', label: 'tasks waiting or running', log: true },
    ],
    notes: [
      'No attempt is spent on what the platform holds back: a full lane, the budget and a throttle cost none. A task is given up after five attempts that ran and were cut off, as its own policy says.',
      'Without a budget, wide lanes stay where they are: everything that fails comes back, on top of what is new. With it no more than a fifth comes on top, and what is downstream can work that off.',
    ],
    seed,
    virtualSeconds: END,
    tasks,
  };
}

export const retryStorm: Scenario = { name: 'retry-storm', run };
