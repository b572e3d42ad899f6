import { putSchedule } from '../core/schedules/manage.ts';
import { call } from './clients.ts';
import { numberOf, replayed, type Chosen } from './choices.ts';
import { CALL_FAULTS } from './faults.ts';
import { audit, type FunctionName } from './functions.ts';
import { FAULT_IN } from './calls.ts';
import { invoke } from './invocation.ts';
import type { Ports } from './ports.ts';
import { runOnce, type RunOptions } from './run.ts';
import type { Simulation } from './simulation.ts';
import { purgeAll } from './upheavals.ts';
import { cancel, retry, submit, TOLD } from './workload.ts';

/** How much later than without it the tasks are done that a crash of a function has touched, s of virtual time. */
export interface Healing {
  /** Crashes: one before and one after each call that the function makes. */
  readonly crashes: number;
  /** Over all crashes, of each the task that is done last. */
  readonly p50: number;
  readonly max: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const CRASHES = [CALL_FAULTS.indexOf('crash-before'), CALL_FAULTS.indexOf('crash-after')];

/** The ticks that move the hint of the task in a bucket; crashes of others change nothing. */
const TICKS = { from: 13 * MINUTE, to: 18 * MINUTE };

interface Scenario {
  readonly functions: readonly FunctionName[];
  readonly options: { readonly faultsMs: number; readonly workload: (sim: Simulation) => void };
}

const SCENARIOS: readonly Scenario[] = [
  { functions: ['submit', 'dispatch', 'settle', 'timers', 'cancel', 'retry'], options: { faultsMs: 30 * MINUTE, workload: everyFunction } },
  { functions: ['system'], options: { faultsMs: 10 * MINUTE, workload: firedAndTold } },
  { functions: ['audit'], options: { faultsMs: DAY + 60 * MINUTE, workload: purgedThenAudited } },
];

/** A lane that fills and drains, both starters, a task in a bucket, and one that is cancelled and retried. */
function everyFunction(sim: Simulation): void {
  const stream = sim.root.fork('scenario');
  const batch = [
    ...Array.from({ length: 6 }, (_, n) => ({ type: 'narrow', id: `narrow-${n}` })),
    { type: 'short', id: 'short' },
    { type: 'wide', id: 'in-a-bucket', delaySeconds: 16 * 60 },
    { type: 'wide', id: 'changed', delaySeconds: 60 },
  ];
  sim.kernel.after(1_000, () => submit(sim, stream.fork('submit'), 'a', batch));
  sim.kernel.after(5_000, () => cancel(sim, stream.fork('cancel'), 'a', 'changed'));
  sim.kernel.after(20_000, () => retry(sim, stream.fork('retry'), 'a', 'changed'));
}

/** A schedule with three occurrences, each fired by a task of the platform, and a task whose end is told by two more. */
function firedAndTold(sim: Simulation): void {
  const stream = sim.root.fork('scenario');
  const end = new Date(sim.startedAt + 100_000).toISOString();
  const input = { everySeconds: 30, end, misfire: { policy: 'all', max: 10 }, task: { type: 'wide' } };
  sim.kernel.after(1_000, () => {
    submit(sim, stream.fork('submit'), 'a', [{ type: 'wide', id: 'told', notify: TOLD }]);
    const run = (ports: Ports) => putSchedule(ports, 'a', 'every', input);
    call(sim, stream.fork('schedule'), { name: 'schedules', about: 'puts a/every', run });
  });
}

/** Queues are purged, and the audit finds what they held; it comes every day. */
function purgedThenAudited(sim: Simulation): void {
  const stream = sim.root.fork('scenario');
  const batch = Array.from({ length: 3 }, (_, n) => ({ type: 'wide', id: `purged-${n}`, delaySeconds: 60 }));
  sim.kernel.after(1_000, () => submit(sim, stream.fork('submit'), 'a', batch));
  sim.kernel.after(30_000, () => purgeAll(sim));
  for (const day of [0, 1]) {
    sim.kernel.after(20 * MINUTE + day * DAY, () =>
      invoke(sim, { name: 'audit', stream: stream.fork('audit', day), about: `day ${day}`, run: (ports) => audit(ports, 10 * MINUTE) }),
    );
  }
}

/** Crashes each function before and after each of its calls in turn, with no other fault. */
export async function heal(): Promise<Partial<Record<FunctionName, Healing>>> {
  const healed: Partial<Record<FunctionName, Healing>> = {};
  for (const { functions, options } of SCENARIOS) {
    const points: { key: number; what: string }[] = [];
    let elapsed = () => 0;
    const plain = replayed(new Map());
    const source: RunOptions['source'] = {
      draw: (key, n, what, weights) => {
        const tick = what.startsWith(`${FAULT_IN}timers:`);
        if (what.startsWith(FAULT_IN) && (!tick || (elapsed() > TICKS.from && elapsed() < TICKS.to)))
          points.push({ key: numberOf(key), what });
        return plain.draw(key, n, what, weights);
      },
    };
    const workload = (sim: Simulation) => {
      const start = sim.kernel.now();
      elapsed = () => sim.kernel.now() - start;
      options.workload(sim);
    };
    const { endedAt, violations } = await runOnce({ ...options, workload, source });
    if (violations.length > 0) throw new Error(`without any fault: ${violations[0]?.what}`);
    for (const name of functions) {
      const own = points.filter(({ what }) => what.startsWith(`${FAULT_IN}${name}:`));
      healed[name] = await healOf(own, options, endedAt);
    }
  }
  return healed;
}

async function healOf(
  points: readonly { key: number; what: string }[],
  options: Omit<RunOptions, 'source'>,
  plain: ReadonlyMap<string, number>,
): Promise<Healing> {
  const later: number[] = [];
  for (const { key, what } of points) {
    for (const value of CRASHES) {
      const chosen = new Map<number, Chosen>([[key, { value, what }]]);
      const { endedAt, violations } = await runOnce({ ...options, source: replayed(chosen) });
      if (violations.length > 0) throw new Error(`after a crash, ${what}: ${violations[0]?.what}`);
      later.push(Math.max(...[...plain].map(([task, at]) => (endedAt.get(task) ?? Infinity) - at), 0) / 1000);
    }
  }
  later.sort((a, b) => a - b);
  return { crashes: later.length, p50: later[Math.floor(later.length / 2)] ?? 0, max: later.at(-1) ?? 0 };
}
