import type { TaskTypeSpec } from '@sluice/contracts';
import { AIMD_DEFAULTS, type AimdRules } from './aimd.ts';
import type { Rate } from './gcra.ts';

/** What limits the attempts of one lane, as its task type says it. */
export interface LaneRules {
  /** Attempts in flight at once, in all cells together. */
  readonly concurrency: number;
  /** It has only what control gives it of capacities that it has in common with others. @default false */
  readonly divided?: boolean;
  /** All of its cells are in use, and each finds its own limit. @default cells come and go with the limit of the first */
  readonly spread?: boolean;
  /** @default the lane has its whole concurrency at any time */
  readonly aimd?: AimdRules;
  /** @default at any pace */
  readonly rates?: readonly Rate[];
}

type LimitsOfType = Pick<TaskTypeSpec, 'concurrency' | 'adaptive' | 'rates' | 'capacity' | 'resources'>;

/** Used for a type that is no longer deployed: its lanes start nothing. */
export const NO_RULES: LaneRules = { concurrency: 1 };

/**
 * What newcomers to a divided type draw on together: as much as control has given it, at any pace. Many lanes are in a cell, so it begins
 * with all that it has, and finds less where attempts are throttled.
 */
export function entryRules({ aimd }: Pick<LaneRules, 'aimd'>): LaneRules {
  return { concurrency: 1, divided: true, spread: true, ...(aimd && { aimd: { ...aimd, start: Infinity } }) };
}

/** Whether the lanes of a type have only what control gives them. */
export function isDivided({ capacity, resources }: Pick<TaskTypeSpec, 'capacity' | 'resources'>): boolean {
  return capacity !== undefined || resources !== undefined;
}

/** What a type may say of how its lanes find the capacity behind them. */
export type Adaptive = Record<keyof Exclude<TaskTypeSpec['adaptive'], false | undefined>, number>;

const ADAPTIVE_DEFAULTS: Adaptive = {
  start: AIMD_DEFAULTS.start,
  signals: AIMD_DEFAULTS.count,
  percent: 100 * AIMD_DEFAULTS.rate,
  windowSeconds: AIMD_DEFAULTS.windowMs / 1000,
  decrease: AIMD_DEFAULTS.decrease,
  // Lambda needs that long to make an environment for what has much code to load: an event that starts later has waited for room.
  startDelaySeconds: 10,
};

/** With the defaults for what is not said. */
export function wholeOf(said: Exclude<TaskTypeSpec['adaptive'], false> = {}): Adaptive {
  // What was parsed has no field that is `undefined`.
  return { ...ADAPTIVE_DEFAULTS, ...(said as Partial<Adaptive>) };
}

export function laneRules(spec: LimitsOfType): LaneRules {
  const { concurrency, adaptive, rates } = spec;
  const common = { concurrency, ...(rates && { rates }), ...(isDivided(spec) && { divided: true }) };
  if (adaptive === false) return common;
  const { start, signals, percent, windowSeconds, decrease } = wholeOf(adaptive);
  const aimd: AimdRules = { start, count: signals, rate: percent / 100, windowMs: windowSeconds * 1000, decrease };
  return { ...common, aimd };
}

/** ms from the claim of an event to its start that count as a signal. */
export function startDelayMs({ adaptive }: LimitsOfType): number {
  return wholeOf(adaptive || undefined).startDelaySeconds * 1000;
}
