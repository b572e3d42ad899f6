import type { Outcome, TaskEvent, TaskRow, TerminalState } from '@sluice/contracts';

/** The event of a terminal row's end, the same each time it is made. */
export function endEvent(row: TaskRow): TaskEvent & { readonly state: TerminalState } {
  return eventOf(row, row.state as TerminalState, row.endedAt ?? 0);
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

function eventOf<S extends TaskEvent['state']>(row: TaskRow, state: S, at: number): TaskEvent & { readonly state: S } {
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
