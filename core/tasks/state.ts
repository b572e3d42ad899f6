import { TERMINAL_STATES, type HintedTask, type TaskRow, type TaskState, type TerminalState } from '@sluice/contracts';

export function isTerminal(state: TaskState): state is TerminalState {
  return (TERMINAL_STATES as readonly TaskState[]).includes(state);
}

/**
 * Whether a new submission of this id makes a new generation: after a terminal failure, an expiry or a cancellation;
 * after a success only once its dedup window has passed. `outcome_unknown` keeps the id: the work may have been done.
 */
export function isFree(row: TaskRow, now: number): boolean {
  if (!isTerminal(row.state)) return false;
  if (row.ttl !== undefined && row.ttl * 1000 <= now) return true;
  return row.state !== 'succeeded' && row.reason !== 'outcome_unknown';
}

/** Whether no attempt of it counts as started: what was throttled is as if it had never been. */
export function isFresh(row: TaskRow): boolean {
  return row.attempts + row.lost === 0;
}

/** A hint for a row as it is now. */
export function hintOf(row: TaskRow, now: number): HintedTask {
  const run = row.state === 'running' ? row.run : undefined;
  return {
    id: row.id,
    uid: row.uid,
    seq: row.seq,
    at: run?.leaseEnd ?? row.at,
    made: now,
    type: row.type,
    priority: row.priority,
    ...(row.expiresAt !== undefined && { expiresAt: row.expiresAt }),
    ...(run && { look: true }),
    ...(row.again && row.state === 'waiting' && { again: row.again }),
  };
}
