import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { wholeOf, type Adaptive } from './lane-rules.ts';

/** Of several resources, what slows a lane first. */
const CAREFUL: Record<keyof Adaptive, (...of: number[]) => number> = {
  start: Math.min,
  signals: Math.min,
  percent: Math.min,
  windowSeconds: Math.max,
  decrease: Math.min,
  startDelaySeconds: Math.min,
};

/** A type that says itself how its lanes find the capacity behind them, or else as its resources say it. */
export function withResources(spec: TaskTypeSpec, resources: ReadonlyMap<string, ResourceSpec>): TaskTypeSpec {
  const said = (spec.resources ?? []).map((name) => resources.get(name)?.adaptive);
  if (spec.adaptive !== undefined || said.every((each) => each === undefined)) return spec;
  const rules = said.flatMap((each) => (each === false ? [] : [wholeOf(each)]));
  if (rules.length === 0) return { ...spec, adaptive: false };
  const of = (name: keyof Adaptive): number => CAREFUL[name](...rules.map((each) => each[name]));
  return { ...spec, adaptive: Object.fromEntries(Object.keys(CAREFUL).map((name) => [name, of(name as keyof Adaptive)])) };
}
