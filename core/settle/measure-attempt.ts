import type { Outcome, OutcomeClass, TaskRow } from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';

/** Classes of attempts whose handler ran. One that was throttled may have been refused before it began. */
const RAN: ReadonlySet<OutcomeClass> = new Set(['succeeded', 'retryable', 'fatal', 'crashed']);

/**
 * Counts an attempt that has been settled by its class, and measures how long it ran. Lambda's records do not say when a
 * plain handler began: its time is then from the claim, and so includes the time that the event waited for Lambda.
 */
export function measureAttempt(telemetry: Telemetry, row: TaskRow, outcome: Outcome): void {
  const { class: ended, startedAt, at } = outcome;
  // A success is counted as the end of its task.
  if (ended !== 'succeeded') telemetry.count(`attempt.${ended}`, row.type);
  const since = startedAt ?? (RAN.has(ended) ? row.run?.claimedAt : undefined);
  if (since !== undefined) telemetry.measure('attempt.run_time', row.type, Math.max(0, at - since));
}
