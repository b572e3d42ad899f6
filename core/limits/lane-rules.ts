import type { TaskTypeSpec } from '@sluice/contracts';
import { AIMD_DEFAULTS, type AimdRules } from './aimd.ts';
import type { Rate } from './gcra.ts';

/** What limits the attempts of one lane, as its task type says it. */
export interface LaneRules {
  /** Attempts in flight at once, in all cells together. */
  readonly concurrency: number;
  /** @default the lane has its whole concurrency at any time */
  readonly aimd?: AimdRules;
  /** @default at any pace */
  readonly rates?: readonly Rate[];
}

type LimitsOfType = Pick<TaskTypeSpec, 'concurrency' | 'adaptive' | 'rates'>;

/** Used for a type that is no longer deployed: its lanes start nothing. */
export const NO_RULES: LaneRules = { concurrency: 1 };

export function laneRules({ concurrency, adaptive = {}, rates }: LimitsOfType): LaneRules {
  if (adaptive === false) return { concurrency, ...(rates && { rates }) };
  const { start, signals, percent, windowSeconds, decrease } = adaptive;
  const aimd: AimdRules = {
    start: start ?? AIMD_DEFAULTS.start,
    count: signals ?? AIMD_DEFAULTS.count,
    rate: percent === undefined ? AIMD_DEFAULTS.rate : percent / 100,
    windowMs: windowSeconds === undefined ? AIMD_DEFAULTS.windowMs : windowSeconds * 1000,
    decrease: decrease ?? AIMD_DEFAULTS.decrease,
  };
  return { concurrency, aimd, ...(rates && { rates }) };
}

/** ms: an event that starts later than Lambda needs to make an environment (10 s for its code to load) has waited for room. */
const START_DELAY_MS = 10_000;

/** ms from the claim of an event to its start that count as a signal. */
export function startDelayMs({ adaptive }: LimitsOfType): number {
  const seconds = adaptive === false ? undefined : adaptive?.startDelaySeconds;
  return seconds === undefined ? START_DELAY_MS : seconds * 1000;
}
