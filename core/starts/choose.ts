import { LIMITS, type RunCounts, type StartChoice, type StartMode, type TaskTypeSpec } from '@sluice/contracts';

/** By what `start: 'auto'` chooses. */
export interface StartRules {
  /** Runs that say something. */
  readonly runs: number;
  /** The share of them that may be slower than the p95 that is asked for. */
  readonly beyond: number;
}

export const START_RULES: StartRules = { runs: 1_000, beyond: 0.05 };

/** ms of the 95th percentile up to which dispatch waits for a type, and above which it no longer does. */
export const RUN_TIMES = { slow: 500, long: 1_000 } as const;

/** Whether it is measured how attempts of the type are best started. */
export function isAuto({ start, timeoutSeconds }: Pick<TaskTypeSpec, 'start' | 'timeoutSeconds'>): boolean {
  return start === 'auto' && timeoutSeconds <= LIMITS.autoTimeoutSeconds;
}

/**
 * How the next attempts of a type are started. `auto` is `event` until a choice is known, and so is what dispatch can't wait
 * for. A claim keeps what it began with: its lease and its hint are made for one of the two.
 */
export function startMode(spec: Pick<TaskTypeSpec, 'start' | 'timeoutSeconds'>, choice: StartChoice | undefined): StartMode {
  if (isAuto(spec)) return choice?.mode ?? 'event';
  return spec.start === 'wait' && spec.timeoutSeconds <= LIMITS.waitTimeoutSeconds ? 'wait' : 'event';
}

/**
 * What becomes of a choice by what was measured under it: `event` becomes `wait` when the 95th percentile of a thousand runs
 * or more is half a second at most, and `wait` becomes `event` when it is more than a second, which is known as soon as more
 * than 5 % of a thousand were. In between it stays, and is measured anew.
 * @returns the choice as it was where there is not enough to say
 */
export function nextChoice(choice: StartChoice, { runs, slow, long }: RunCounts, now: number, rules = START_RULES): StartChoice {
  const since = Math.max(now, choice.since + 1);
  if (choice.mode === 'wait' && long > rules.beyond * Math.max(runs, rules.runs)) return { ...choice, mode: 'event', since };
  if (runs < rules.runs) return choice;
  return { ...choice, mode: slow <= rules.beyond * runs ? 'wait' : choice.mode, since };
}
