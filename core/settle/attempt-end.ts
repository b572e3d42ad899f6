import type { Outcome, OutcomeClass, TaskRow, TaskTypeSpec } from '@sluice/contracts';
import { startDelayMs } from '../limits/lane-rules.ts';
import type { AttemptEnd } from '../permits/release.ts';

/** Attempts whose handler ran to an answer. What failed otherwise says nothing of how much is too much. */
const WELL: ReadonlySet<OutcomeClass> = new Set(['succeeded', 'fatal']);

/**
 * What an outcome says of the capacity behind its lane. Throttled is what was refused with a 429, what its handler says is
 * throttled, an event that became too old, and one that has waited for its start for longer than a cold start takes.
 */
export function attemptEnd({ run }: TaskRow, outcome: Outcome, spec: TaskTypeSpec | undefined): AttemptEnd | undefined {
  if (!run) return undefined;
  const { claimedAt, mode } = run;
  const waited = mode === 'event' && outcome.startedAt !== undefined ? outcome.startedAt - claimedAt : 0;
  if (outcome.class === 'throttled' || (spec && waited > startDelayMs(spec))) return { throttled: true, claimedAt };
  return WELL.has(outcome.class) ? { throttled: false, claimedAt } : undefined;
}
