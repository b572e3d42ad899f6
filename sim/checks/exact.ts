import type { FaultKind } from '../faults.ts';

/** Faults that may cost a count: whoever wrote an end did not live, or did not know, to count it. */
export const COSTS_COUNTS: readonly FaultKind[] = ['lost-answer', 'late', 'repeated', 'crash-after', 'timed-out', 'redeploy'];

/** Whether every end must have been counted. */
export function isExact(struck: ReadonlyMap<FaultKind, number>): boolean {
  return COSTS_COUNTS.every((kind) => !struck.has(kind));
}
