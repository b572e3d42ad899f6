import type { Outcome, TaskEvent, TaskRow } from '@sluice/contracts';
import { isTerminal } from './state.ts';

/** States that are told by default; a success is told only where a type asks for it, at $1 a million events. */
const TOLD = new Set<TaskEvent['state']>(['failed', 'expired', 'cancelled']);

/** The event of a task's end, the same each time it is made; `undefined` where its state is not told. */
export function endEvent(row: TaskRow): TaskEvent | undefined {
  return isTerminal(row.state) && TOLD.has(row.state) ? eventOf(row, row.state, row.endedAt ?? 0) : undefined;
}

/** A success that came after its task had ended otherwise, or with an old fence: told, without effect. */
export function lateSuccessEvent(row: TaskRow, outcome: Outcome): TaskEvent {
  const { uid, fence, type, attempt, at } = outcome;
  const event = eventOf(row, 'late_success', at);
  // Of an old generation nothing but its outcome is at hand.
  const own = row.uid === uid ? event : { ...event, uid, type, attempts: attempt, reason: undefined, error: undefined, labels: undefined };
  return { ...withoutUndefined(own), eventId: `${uid}:late:${fence}` };
}

function withoutUndefined(event: { [K in keyof TaskEvent]: TaskEvent[K] | undefined }): TaskEvent {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)) as TaskEvent;
}

function eventOf(row: TaskRow, state: TaskEvent['state'], at: number): TaskEvent {
  return {
    v: 1,
    eventId: `${row.uid}:${state}`,
    tenant: row.tenant,
    id: row.id,
    uid: row.uid,
    type: row.type,
    state,
    attempts: row.attempts,
    at: new Date(at).toISOString(),
    ...(row.reason && { reason: row.reason }),
    ...(row.error && { error: row.error }),
    ...(row.labels && { labels: row.labels }),
  };
}
