import type { Occurrence, ScheduleRecord, ScheduleView, TaskViewState } from '@sluice/contracts';
import { nextAfterOf } from './change.ts';
import { taskOf } from './submit-occurrence.ts';
import { nextTimes } from './times.ts';

const NEXT_RUNS = 5;

/**
 * A schedule as its tenant sees it.
 * @param stateOf of tasks, where they are known
 */
export function toScheduleView(
  record: ScheduleRecord,
  now: number,
  stateOf: (task: string) => TaskViewState | undefined = () => undefined,
): ScheduleView {
  const { name, state, spec, waiting, counts } = record;
  const { cron, everySeconds, timezone, start, end, jitterSeconds, overlap, misfire } = spec;
  return {
    name,
    state,
    ...(cron !== undefined && { cron }),
    ...(everySeconds !== undefined && { everySeconds }),
    timezone,
    ...(start !== undefined && { start: iso(start) }),
    ...(end !== undefined && { end: iso(end) }),
    jitterSeconds,
    overlap,
    misfire,
    task: taskOf(record),
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    nextRuns: state === 'ended' ? [] : nextTimes(nextAfterOf(record), now, NEXT_RUNS).map(iso),
    ...(waiting !== undefined && { waiting: iso(waiting) }),
    recent: record.recent.map((one) => occurrenceView(one, one.task === undefined ? undefined : stateOf(one.task))),
    counts,
  };
}

function occurrenceView({ at, decidedAt, did, task, count, reason }: Occurrence, state: TaskViewState | undefined) {
  return {
    at: iso(at),
    decidedAt: iso(decidedAt),
    did,
    ...(task !== undefined && { task }),
    ...(count !== undefined && { count }),
    ...(reason !== undefined && { reason }),
    ...(state && { state }),
  };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
