import { Metrics, type MetricsRules } from './engine/metrics.ts';
import { World } from './engine/world.ts';
import { arrivals, type Entrance, type Source } from './model/arrivals.ts';
import type { System } from './model/outcome.ts';
import { Target, type TargetRules } from './model/target.ts';
import type { Way } from './report/result.ts';

export interface Parts {
  readonly world: World;
  readonly metrics: Metrics;
  readonly target: () => Target;
}

/** A system, the door in front of it, and what else is to be measured of it. */
export interface Built {
  readonly system: System;
  readonly entrance?: Entrance;
  /** Fields of the series. */
  readonly probe?: () => Record<string, number>;
  /** Numbers at the end. */
  readonly numbers?: () => Record<string, number>;
}

export interface RunRules {
  readonly seed: number;
  readonly metrics: MetricsRules;
  readonly target: TargetRules;
  readonly sources: readonly Source[];
  readonly seconds: number;
  /** s between two rows of the series. */
  readonly sampleSeconds: number;
  /** ms: what is measured of waits and service. */
  /** Groups are classes of priority. @default those of tenants */
  readonly byClass?: boolean;
  readonly measured?: { readonly from: number; readonly until: number };
}

export interface Ran extends Parts {
  readonly way: Way;
  readonly built: Built;
}

/** Runs one way through a scenario. */
export function runWay(
  name: string,
  rules: RunRules,
  build: (parts: Parts) => Built,
  read: (ran: Omit<Ran, 'way'>) => Record<string, number>,
): Ran {
  const world = new World(rules.seed);
  const taskGroup = rules.byClass ? (task: number): number => world.tasks.priority[task]! : undefined;
  const metrics = new Metrics(world, { ...rules.metrics, taskGroup });
  if (rules.measured) Object.assign(metrics, rules.measured);
  const parts: Parts = { world, metrics, target: () => target };
  const built = build(parts);
  const target: Target = new Target(world, rules.target, metrics, built.system.ended);
  for (const source of rules.sources) arrivals(world, metrics, source, built.system.submit, built.entrance);
  let used = 0;
  let offered = 0;
  metrics.sample(rules.sampleSeconds * 1000, () => {
    target.settle();
    const utilisation = (target.used - used) / Math.max(1, target.offered - offered);
    used = target.used;
    offered = target.offered;
    const groups = metrics.groups.map(({ recent, succeeded, attempts, refused, throttled, failures, dead }, i) => [
      [`p99 ${i}`, recent.percentile(99)],
      [`succeeded ${i}`, succeeded],
      [`attempts ${i}`, attempts],
      [`refused ${i}`, refused],
      [`throttled ${i}`, throttled],
      [`failures ${i}`, failures],
      [`dead ${i}`, dead],
    ]);
    return {
      ...(Object.fromEntries(groups.flat()) as Record<string, number>),
      running: target.running,
      begun: target.begun,
      live: world.tasks.live,
      utilisation,
      ...built.probe?.(),
    };
  });
  world.run(rules.seconds * 1000);
  target.settle();
  metrics.count();
  const ran = { ...parts, built };
  return { ...ran, way: { name, numbers: { ...built.numbers?.(), ...read(ran) }, rows: metrics.series.rows } };
}
