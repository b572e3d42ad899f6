import { AIMD_DEFAULTS } from '../../../core/limits/aimd.ts';
import { cellLimits } from '../../../core/permits/cells.ts';
import type { TargetRules } from '../model/target.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Goal, Options, Result, Scenario } from '../report/result.ts';
import { type Built, type Parts, type Ran, runWay } from '../run.ts';
import { oneFifo } from '../systems/disciplines.ts';
import { pool, sluice } from './ways.ts';
import { mean } from '../engine/metrics.ts';

const { eventAgeSeconds } = PARAMETERS;

const CAPACITY = 200;
const SLOW = 10;
/** ms: what `wait` is for, and what `event` is for. */
const WORK_MS = { short: 500, long: 3_000 };
const DROP = 300;
const RECOVER = 600;
const END = 900;
/** s after a change from which on things count as steady. */
const STEADY = 60;
const SAMPLE = 0.5;

/** Of the ways that have goals, the one that is told the capacity. */
const TOLD = [4, 5, 6];

type Row = Readonly<Record<string, number>>;

function run({ seed, quick }: Options): Result {
  const scale = quick ? 0.25 : 1;
  const capacity = (now: number): number => {
    const slow = now >= DROP * 1000 && now < RECOVER * 1000;
    return Math.round((CAPACITY * scale) / (slow ? SLOW : 1));
  };
  const perSecond = (workMs: number): number => 1.3 * ((CAPACITY * scale * 1000) / workMs);
  const heldIn = (built: ReturnType<ReturnType<typeof sluice>>): Built => {
    const { lanes } = built.sluice;
    return { ...built, probe: () => ({ ...built.probe?.(), held: lanes.held(lanes.of(0)) }) };
  };
  const ours = (start: 'wait' | 'event') => (parts: Parts) => heldIn(sluice({ start, concurrency: 1_000, adaptive: AIMD_DEFAULTS })(parts));
  const told =
    (start: 'wait' | 'event', of = 1) =>
    (parts: Parts) => {
      const built = sluice({ start, concurrency: 1_000 })(parts);
      const { lanes } = built.sluice;
      const tell = parts.world.on(() => lanes.share(lanes.of(0), cellLimits(Math.round(of * capacity(parts.world.now)))));
      for (const second of [0, DROP, RECOVER]) tell(second * 1000);
      return heldIn(built);
    };
  const { short, long } = WORK_MS;
  const ways: [name: string, workMs: number, TargetRules['beyond'], (parts: Parts) => Built][] = [
    ['Sluice, `wait`', short, 'wait', ours('wait')],
    ['Sluice, `event`, 3 s, the handler reports throttles', long, 'wait', ours('event')],
    ['Sluice, `event`, bare 429s', short, 'event', ours('event')],
    ['Sluice, `event`, the handler reports throttles', short, 'wait', ours('event')],
    ['Sluice, told the capacity, `wait`', short, 'wait', told('wait')],
    ['Sluice, told the capacity, `event`, 3 s', long, 'wait', told('event')],
    ['Sluice, told the capacity, `event`', short, 'wait', told('event')],
    ['Sluice, told 105 % of it, `event`', short, 'wait', told('event', 1.05)],
    ['Sluice, told 115 % of it, `event`', short, 'wait', told('event', 1.15)],
    ['fixed concurrency, of the calm capacity', short, 'wait', pool(({ world }) => oneFifo(world.tasks), CAPACITY * scale)],
    ['fixed concurrency, of the slow capacity', short, 'wait', pool(({ world }) => oneFifo(world.tasks), (CAPACITY * scale) / SLOW)],
    ['no limit, 1,000 invocations', short, 'wait', pool(({ world }) => oneFifo(world.tasks), 1_000)],
  ];
  let tasks = 0;
  const done = ways.map(([name, workMs, beyond, build]) => {
    const ran = runWay(
      name,
      {
        seed,
        metrics: { groups: 1, tenants: 1, tenantGroup: () => 0 },
        target: { capacity, beyond },
        sources: [
          {
            name: 'all',
            // A backlog at all times: some of it is there from the beginning.
            perSecond: (now) => (now < 10_000 ? 3 : 1) * perSecond(workMs),
            most: 3 * perSecond(workMs),
            tenant: () => 0,
            workMs: (chance) => chance.logNormal(workMs, 0.3),
          },
        ],
        seconds: END,
        sampleSeconds: SAMPLE,
      },
      build,
      () => ({}),
    );
    tasks += ran.metrics.groups[0]!.submitted;
    const rows = ran.way.rows.map((row, i) => ({
      ...row,
      throttledShare: throttledShare(ran, i),
      capacity: capacity(row['seconds']! * 1000 - 1),
    }));
    return { name, numbers: { ...ran.way.numbers, ...measure(rows) }, rows: thinned(rows), all: rows };
  });
  const goals = done.slice(0, 3).flatMap(({ name, numbers }, i): Goal[] => [
    { what: `${name}: from cold to 95 % of the capacity (s)`, value: numbers['convergence']!, is: '<=', bound: 60 },
    { what: `${name}: its permits, from cold to 95 % of the capacity (s)`, value: numbers['permitsConvergence']!, is: '<=', bound: 60 },
    { what: `${name}: throttled in the steady state`, value: numbers['throttled']!, is: '<=', bound: 0.02 },
    { what: `${name}: over the capacity after it fell (s)`, value: numbers['over']!, is: '<=', bound: i === 2 ? eventAgeSeconds + 10 : 5 },
    { what: `${name}: utilisation in the steady state`, value: numbers['utilisation']!, is: '>=', bound: 0.95 },
    {
      what: `${name}: the same, of what a lane has that is told the capacity`,
      value: numbers['utilisation']! / done[TOLD[i]!]!.numbers['utilisation']!,
      is: '>=',
      bound: 0.95,
    },
    { what: `${name}: permits held, of as many as the capacity takes, steady`, value: numbers['permits']!, is: '>=', bound: 0.95 },
  ]);
  return {
    name: 'downstream-slows',
    title: 'What is downstream slows 10× and recovers',
    question:
      'How soon does a lane find a capacity that nobody tells it of, and how does it follow when the capacity falls to a tenth and comes back?',
    setup: [
      `One lane with a backlog at all times; ${CAPACITY * scale} attempts at once downstream, ${(CAPACITY * scale) / SLOW} from second ${DROP} to ${RECOVER}; what is more gets a 429. An attempt takes ${WORK_MS.short / 1000} s, or ${WORK_MS.long / 1000} s where it says so (log-normal).`,
      'From cold: the seconds until ten seconds together reach 95 % of the capacity. Over the capacity: the seconds after the fall until no more attempts are held than the new capacity takes.',
      `The steady state: from ${STEADY} s after a change until the next; throttled: of the attempts that ended. With bare 429s Lambda itself tries an event again until it is ${eventAgeSeconds} s old, so these permits are held.`,
    ],
    ways: done.map(({ name, numbers, rows }) => ({ name, numbers, rows })),
    columns: [
      { field: 'convergence', label: 'from cold (s)' },
      { field: 'permitsConvergence', label: 'its permits, from cold (s)' },
      { field: 'throttled', label: 'throttled, steady' },
      { field: 'over', label: 'over after the fall (s)' },
      { field: 'utilisation', label: 'utilisation, steady' },
      { field: 'permits', label: 'permits held of the capacity, steady' },
      { field: 'recovery', label: 'to 95 % after recovery (s)' },
      { field: 'dead', label: 'tasks given up' },
    ],
    goals,
    panels: [
      { field: 'begun', label: 'attempts held' },
      { field: 'running', label: 'attempts that run' },
      { field: 'throttledShare', label: 'throttled share' },
    ],
    notes: [
      'A permit is held from its claim until its end is settled, and given out again after that. With `event`, while dispatch and settle work on it, nothing runs: some 140 ms. So of as many permits as the capacity some always rest, and how many changes by chance. Of attempts of 0.5 s a fifth rest: no limit uses 95 % of 20 with 2 % throttled, as those lanes show that are told more than the capacity. `wait` is for these, where the next tasks are claimed ahead, and one of them starts when an attempt has ended: 5 ms later, not 75. `start: auto` changes to it by itself.',
      'How much can be used with nothing throttled is what the lane says that is told the capacity. Of 200 it uses 87 % with `wait`: told, it has five cells of forty, and a cell of forty has no room for claims ahead. The lane that finds its limit has more cells, each with less than that.',
      'With bare 429s the permits above the capacity are held by events that wait in Lambda. The first one that is too old tells of the fall; how many run then, by what ends and for how long it was held, says how far the limit goes down. It is up again when few wait, so that the use of the slow minutes counts that, too. Whatever the limit, Lambda leaves some 7 % of 20 empty between its tries. A handler that reports throttles tells at once; the start times that the kit reports are not modelled here.',
    ],
    seed,
    virtualSeconds: END,
    tasks,
  };
}

function throttledShare({ way: { rows } }: Ran, i: number): number {
  const of = (field: string): number => (rows[i]?.[field] ?? 0) - (rows[i - 1]?.[field] ?? 0);
  const ended = of('throttled 0') + of('succeeded 0');
  return ended > 0 ? of('throttled 0') / ended : 0;
}

function measure(rows: readonly Row[]): Record<string, number> {
  const steady = [
    [STEADY, DROP],
    [DROP + 2 * STEADY, RECOVER],
    [RECOVER + 2 * STEADY, END],
  ] as const;
  const spans = steady.map(([from, to]) => rows.filter(({ seconds }) => seconds! > from && seconds! <= to));
  const last = rows.at(-1)!;
  return {
    convergence: reached(rows, 0, used),
    ...(last['held'] !== undefined && {
      permitsConvergence: reached(rows, 0, heldShare),
      permits: Math.min(...spans.map((span) => mean(span.map(heldShare)))),
    }),
    recovery: reached(rows, RECOVER, used),
    throttled: Math.max(...spans.map((span) => share(span))),
    utilisation: Math.min(...spans.map((span) => mean(span.map(used)))),
    over: (rows.find(({ seconds, begun, capacity }) => seconds! > DROP && begun! <= capacity!)?.['seconds'] ?? Infinity) - DROP,
    dead: last['dead 0']!,
  };
}

function share(rows: readonly Row[]): number {
  const of = (field: string): number => (rows.at(-1)?.[field] ?? 0) - (rows[0]?.[field] ?? 0);
  return of('throttled 0') / Math.max(1, of('throttled 0') + of('succeeded 0'));
}

const used = ({ utilisation }: Row): number => utilisation!;

/** Permits that are held, of as many as the capacity takes. */
const heldShare = ({ held, capacity }: Row): number => Math.min(1, held! / capacity!);

/** s after which ten seconds together reach 95 % of the capacity. */
function reached(rows: readonly Row[], from: number, of: (row: Row) => number): number {
  const window = 10 / SAMPLE;
  for (let i = rows.findIndex(({ seconds }) => seconds! > from); i + window <= rows.length; i++) {
    const span = rows.slice(i, i + window);
    if (mean(span.map(of)) >= 0.95) return span[0]!['seconds']! - from;
  }
  return Infinity;
}

/** Fewer rows for the plot. */
function thinned(rows: readonly Row[]): readonly Row[] {
  return rows.filter((_, i) => i % 8 === 0);
}

export const downstreamSlows: Scenario = { name: 'downstream-slows', run };
