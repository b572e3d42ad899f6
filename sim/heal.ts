import { isSystemId } from '@sluice/contracts';
import { FAULT_IN } from './calls.ts';
import { numberOf, replayed, type Chosen, type ChoiceList } from './choices.ts';
import { CALL_FAULTS } from './faults.ts';
import type { FunctionName } from './functions.ts';
import { HEALING, type LeftOut, type Measured, type Scenario } from './heal/scenarios.ts';
import { runOnce, START, type RunOptions, type RunResult } from './run.ts';

/** How much later than without it the tasks are done that a crash of a function has touched, s of virtual time. */
export interface Healing {
  /** Crashes: one before and one after each call that the function makes until the last task is done. */
  readonly crashes: number;
  /** Over all crashes, of each the task that is done last. */
  readonly p50: number;
  readonly max: number;
}

export type Healed = Partial<Record<FunctionName, Healing | LeftOut>>;

const CRASHES = [CALL_FAULTS.indexOf('crash-before'), CALL_FAULTS.indexOf('crash-after')];

/** A call that a crash may come before or after. */
interface Point {
  readonly key: number;
  readonly what: string;
  /** ms from the beginning */
  readonly at: number;
}

/**
 * Crashes each function before and after each of its calls in turn, with no other fault.
 * @throws where a function makes no call that could be its last: nothing would be measured
 */
export async function heal(
  functions: readonly FunctionName[] = Object.keys(HEALING) as FunctionName[],
  healing: typeof HEALING = HEALING,
): Promise<Healed> {
  const plain = new Map<Scenario, Awaited<ReturnType<typeof runPlain>>>();
  const healed: Healed = {};
  for (const name of functions) {
    const of = healing[name];
    if ('leftOut' in of) {
      healed[name] = of;
      continue;
    }
    const known = plain.get(of.scenario) ?? (await runPlain(of.scenario));
    plain.set(of.scenario, known);
    healed[name] = await healOf(name, of, known);
  }
  return healed;
}

/** The scenario without any crash, and where there may be one. */
async function runPlain(scenario: Scenario): Promise<{ readonly result: RunResult; readonly points: readonly Point[] }> {
  const points: Point[] = [];
  const result = await run(scenario, new Map(), (key, what, at) => {
    if (what.startsWith(FAULT_IN)) points.push({ key, what, at });
  });
  if (result.violations.length > 0) throw new Error(`without any fault: ${result.violations[0]?.what}`);
  const until = Math.max(...result.endedAt.values()) - START;
  return { result, points: points.filter(({ at }) => at <= until) };
}

async function healOf(
  name: FunctionName,
  { scenario, from = 0 }: Measured,
  { result: plain, points }: Awaited<ReturnType<typeof runPlain>>,
): Promise<Healing> {
  const own = points.filter(({ what, at }) => what.startsWith(`${FAULT_IN}${name}:`) && at >= from);
  if (own.length === 0) throw new Error(`${name} makes no call in its scenario: no crash of it is measured`);
  const later: number[] = [];
  for (const { key, what } of own) {
    for (const value of CRASHES) {
      const { endedAt, violations, states } = await run(scenario, new Map<number, Chosen>([[key, { value, what }]]));
      if (violations.length > 0) throw new Error(`after a crash, ${what}: ${violations[0]?.what}`);
      // A generation that a client asked for and that never came would seem to be early.
      if (successes({ states }) < successes(plain)) throw new Error(`after a crash, ${what}: fewer tasks succeeded`);
      later.push(Math.max(...[...plain.endedAt].map(([task, at]) => (endedAt.get(task) ?? neverOf(task)) - at), 0) / 1000);
    }
  }
  later.sort((a, b) => a - b);
  return { crashes: later.length, p50: later[Math.floor(later.length / 2)] ?? 0, max: later.at(-1) ?? 0 };
}

/** When a task ended that did not come: a task of the platform's own may be another one, with the same to do. */
function neverOf(task: string): number {
  return isSystemId(task.slice(task.indexOf('/') + 1)) ? 0 : Infinity;
}

function successes({ states }: Pick<RunResult, 'states'>): number {
  return states.get('succeeded') ?? 0;
}

function run(
  { options, choose }: Scenario,
  chosen: ChoiceList,
  heard: (key: number, what: string, at: number) => void = () => {},
): Promise<RunResult> {
  let elapsed = () => 0;
  const plain = replayed(chosen);
  const source: RunOptions['source'] = {
    draw: (key, n, what, weights) => {
      heard(numberOf(key), what, elapsed());
      return choose?.(what, elapsed()) ?? plain.draw(key, n, what, weights);
    },
  };
  const workload: typeof options.workload = (sim) => {
    elapsed = () => sim.kernel.now() - sim.startedAt;
    options.workload(sim);
  };
  return runOnce({ ...options, workload, source });
}
