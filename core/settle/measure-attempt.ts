import type { Outcome, OutcomeClass, TaskRow } from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Classes of attempts whose handler ran. One that was throttled may have been refused before it began. */
const RAN: ReadonlySet<OutcomeClass> = new Set(['succeeded', 'retryable', 'fatal', 'crashed']);

/**
 * How long the handler ran, ms: from when it began, which the kit tells and `wait` sees, to its end. Of a plain handler by
 * `event` Lambda's record says only the end: the time is from the claim, and so longer by what the event waited for Lambda,
 * never shorter. `undefined` where it did not run.
 */
export function runTime({ run }: TaskRow, { class: ended, startedAt, at }: Outcome): number | undefined {
  const since = startedAt ?? (RAN.has(ended) ? run?.claimedAt : undefined);
  return since === undefined ? undefined : Math.max(0, at - since);
}

/** Counts an attempt that has been settled by its class, and measures how long it ran. */
export function measureAttempt(telemetry: Telemetry, row: TaskRow, outcome: Outcome): void {
  // A success is counted as the end of its task.
  if (outcome.class !== 'succeeded') telemetry.count(`attempt.${outcome.class}`, row.type);
  const ms = runTime(row, outcome);
  if (ms !== undefined) telemetry.measure('attempt.run_time', row.type, ms);
}
