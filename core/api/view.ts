import type { Attempt, AttemptView, EndReason, OutcomeClass, TaskRow, TaskSummary, TaskView, TaskViewState } from '@sluice/contracts';

/** Values that a caller asked for, as JSON text. */
export interface ViewValues {
  readonly payload?: string | undefined;
  readonly result?: string | undefined;
}

/** Whether the row's time is over: the table deletes such rows within days, readers treat them as deleted. */
export function isGone(row: TaskRow, now: number): boolean {
  return row.ttl !== undefined && row.ttl * 1_000 <= now;
}

/** The state that callers see: a running task that was asked to stop is `cancelling`. */
export function viewState(row: Pick<TaskRow, 'state' | 'cancelAt'>): TaskViewState {
  return row.state === 'running' && row.cancelAt !== undefined ? 'cancelling' : row.state;
}

/**
 * A task as its tenant sees it, with its whole timeline.
 * @param kept the attempts that were recorded beside the row; those of other generations are left out
 */
export function toTaskView(row: TaskRow, kept: readonly Attempt[], values: ViewValues = {}): TaskView {
  return {
    ...factsOf(row),
    ...(row.error && { error: row.error }),
    timeline: {
      acceptedAt: iso(row.acceptedAt),
      hintedAt: iso(row.hintedAt),
      attempts: timelineOf(row, kept),
      ...at('endedAt', row.endedAt),
    },
    ...(values.payload !== undefined && { payload: JSON.parse(values.payload) as unknown }),
    ...(values.result !== undefined && { result: JSON.parse(values.result) as unknown }),
  };
}

/** A task as it stands on a page of a list: what its row alone tells, without the stack of its error. */
export function toTaskSummary(row: TaskRow): TaskSummary {
  const { stack: _, ...error } = row.error ?? { name: '', message: '' };
  return {
    ...factsOf(row),
    ...(row.error && { error }),
    acceptedAt: iso(row.acceptedAt),
    ...at('endedAt', row.endedAt),
  };
}

/** What every view of a task tells. */
function factsOf(row: TaskRow) {
  return {
    id: row.id,
    uid: row.uid,
    tenant: row.tenant,
    type: row.type,
    state: viewState(row),
    ...(row.reason && { reason: row.reason }),
    priority: row.priority,
    labels: row.labels ?? {},
    attempts: row.attempts,
    lost: row.lost,
    throttled: row.throttled,
    ...(row.preempted !== undefined && { preempted: row.preempted }),
    runAt: iso(row.at),
    ...at('expiresAt', row.expiresAt),
    ...(row.retryOf && { retryOf: row.retryOf }),
    ...(row.notify && { notify: row.notify }),
    ...(row.redrive && { redrive: row.redrive }),
    ...(row.redriveOf && { redriveOf: row.redriveOf }),
    ...(row.redrivenAs && { redrivenAs: row.redrivenAs }),
  };
}

/**
 * The attempts in order of their fences. The row says how its latest one stands; the record of a failure is written
 * just before the row, so a record of what the row still calls running is not shown yet, nor is one that is ahead.
 */
function timelineOf(row: TaskRow, kept: readonly Attempt[]): AttemptView[] {
  const earlier = kept.filter((a) => a.uid === row.uid && a.fence < row.fence).sort((a, b) => a.fence - b.fence);
  const latest =
    row.fence > 0
      ? [
          latestOf(
            row,
            kept.find((a) => a.uid === row.uid && a.fence === row.fence),
          ),
        ]
      : [];
  return [...earlier.map(recorded), ...latest];
}

function recorded(attempt: Attempt): AttemptView {
  return {
    fence: attempt.fence,
    outcome: attempt.class,
    ...at('claimedAt', attempt.claimedAt),
    ...at('startedAt', attempt.startedAt),
    settledAt: iso(attempt.endedAt),
    ...(attempt.late && { late: true }),
    ...(attempt.error && { error: attempt.error }),
    ...(attempt.log && { log: attempt.log }),
  };
}

function latestOf(row: TaskRow, attempt: Attempt | undefined): AttemptView {
  // The row's start may be an earlier attempt's: it is written only where a start is known.
  const began = row.startedAt !== undefined && row.startedAt >= (row.run?.claimedAt ?? 0) ? row.startedAt : undefined;
  const known = { fence: row.fence, ...at('claimedAt', row.run?.claimedAt), ...at('startedAt', began) };
  if (row.state === 'running') return { ...known, outcome: 'running' };
  if (row.state === 'succeeded') return { ...known, outcome: 'succeeded', ...at('settledAt', row.endedAt) };
  if (attempt) return { ...known, ...recorded(attempt) };
  if (row.state === 'failed') {
    // The records of a task go before its row where its type keeps ids for longer than records.
    return { ...known, outcome: classOf(row.reason), ...at('settledAt', row.endedAt), ...(row.error && { error: row.error }) };
  }
  // Every other way to end is recorded: this claim was given up before its handler ran.
  return { fence: row.fence, ...at('claimedAt', row.run?.claimedAt), outcome: 'undone' };
}

function classOf(reason: EndReason | undefined): OutcomeClass {
  if (reason === 'fatal') return 'fatal';
  if (reason === 'quarantined') return 'crashed';
  return reason === 'outcome_unknown' ? 'lost' : 'retryable';
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function at<K extends string>(name: K, instant: number | undefined): { [P in K]?: string } {
  return (instant === undefined ? {} : { [name]: iso(instant) }) as { [P in K]?: string };
}
