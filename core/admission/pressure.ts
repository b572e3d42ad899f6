import type { MergedReports } from './merge.ts';

/** When the shared system counts as pressed, and how quickly it is to be relieved. */
export interface PressureRules {
  /** Seconds that a hint may wait in the shared queues before tenants above their share are refused. @default 30 */
  readonly waitSeconds: number;
  /** Seconds in which what waits beyond half of that is to be worked off, at the earliest. @default 60 */
  readonly relieveSeconds: number;
}

export const PRESSURE_RULES: PressureRules = { waitSeconds: 30, relieveSeconds: 60 };

/** How many messages wait in the shared queues at a time, ms. Hints that rest in lanes' backlogs wait for their own tenants alone. */
export interface Depth {
  readonly at: number;
  readonly waiting: number;
}

/** What is known of the shared queues after a look at them: a depth with what was worked off until then, and whether it was too much. */
export interface Pressure {
  readonly depth?: (Depth & { readonly drained?: number | undefined }) | undefined;
  readonly pressed: boolean;
}

/** Weight of the latest in the moving average of what is worked off: readings are some seconds apart and jump. */
const WEIGHT = 0.4;

/**
 * Messages a second that the shared queues give off: what came in, less what they grew by; a queue that holds nothing gives
 * off what comes. Smoothed over some readings. `undefined` until there are two.
 */
export function drainedOf(before: Pressure['depth'], after: Depth, admitted: number): number | undefined {
  const seconds = before ? (after.at - before.at) / 1000 : 0;
  if (!before || seconds <= 0) return before?.drained;
  const now = Math.max(0, admitted - (after.waiting - before.waiting) / seconds);
  return before.drained === undefined ? now : before.drained + WEIGHT * (now - before.drained);
}

/**
 * Of what is worked off, what is admitted however much waits: with less the level would fall to tenants that press nothing,
 * for what others have sent before.
 */
const LEAST = 0.7;

/**
 * Messages a second that may be admitted while the system is pressed; `undefined` while it is not. Once pressed it stays so
 * until a hint waits for less than half as long, so that it does not come and go.
 */
export function targetOf(
  { waiting, drained, pressed }: { readonly waiting: number; readonly drained: number | undefined; readonly pressed: boolean },
  rules: PressureRules = PRESSURE_RULES,
): number | undefined {
  if (drained === undefined) return undefined;
  const allowed = rules.waitSeconds * drained;
  if (waiting <= (pressed ? allowed / 2 : allowed)) return undefined;
  return Math.max(LEAST * drained, drained - (waiting - allowed / 2) / rules.relieveSeconds);
}

/** Whether the queues are to be asked: where little is submitted, nobody is refused for pressing. */
export function isPressureAsked(before: Pressure | undefined, { environments }: Pick<MergedReports, 'environments'>): boolean {
  return environments > 0 || (before?.pressed ?? false);
}

/**
 * Tasks a second that may be admitted while the system is pressed, `undefined` while it is not; and the depth to go on from.
 * Queues are counted in messages, and tenants in tasks: as many to a message as now.
 *
 * @param found `undefined` where the queues were not asked, or one did not answer
 */
export function pressureOf(
  before: Pressure | undefined,
  { offered, refused, messages }: Pick<MergedReports, 'offered' | 'refused' | 'messages'>,
  found: Depth | undefined,
  rules: PressureRules = PRESSURE_RULES,
): { readonly depth: Pressure['depth']; readonly target: number | undefined } {
  if (!found) return { depth: before?.depth, target: undefined };
  const drained = drainedOf(before?.depth, found, messages);
  const target = targetOf({ waiting: found.waiting, drained, pressed: before?.pressed ?? false }, rules);
  return {
    depth: { ...found, ...(drained !== undefined && { drained }) },
    target: target === undefined ? undefined : (target * (offered - refused)) / Math.max(messages, 1e-9),
  };
}
