/**
 * Every metric of the platform. The only dimension is the task type: a series costs $0.30 a month, so their number grows
 * with types, never with tenants.
 */
interface Metric {
  /** `sum`: occurrences are added up. `values`: a distribution, whose percentiles, maximum and sum are looked at. */
  readonly kind: 'sum' | 'values';
  readonly unit: 'count' | 'ms' | 's' | 'percent';
  /** `type`: a series for each task type, where the type is known. `platform`: one series. */
  readonly per: 'type' | 'platform';
  /** Also a series for all types together, for an alarm: it cannot know the types that are gone. */
  readonly total?: true;
  readonly means: string;
}

export const METRICS = {
  'submit.accepted': { kind: 'sum', unit: 'count', per: 'type', means: 'submissions that became a new task' },
  'submit.deduplicated': { kind: 'sum', unit: 'count', per: 'type', means: 'submissions that met the task that exists' },
  'submit.refused': { kind: 'sum', unit: 'count', per: 'type', means: 'submissions that were wrong; of unknown types all together' },
  'submit.throttled': { kind: 'sum', unit: 'count', per: 'type', means: 'submissions that were told to come back later (429)' },
  'submit.failed': { kind: 'sum', unit: 'count', per: 'type', total: true, means: 'submissions that failed on our side (5xx)' },

  'admission.rate_limited': { kind: 'sum', unit: 'count', per: 'platform', means: 'submissions refused for a tenant beyond its rate' },
  'admission.backlog_full': { kind: 'sum', unit: 'count', per: 'platform', means: 'submissions refused for a tenant with a full backlog' },
  'admission.backlog_too_old': {
    kind: 'sum',
    unit: 'count',
    per: 'platform',
    means: 'submissions refused for a tenant whose backlog is too old',
  },
  'admission.throttled': { kind: 'sum', unit: 'count', per: 'platform', means: 'submissions refused while the platform was pressed' },
  'admission.pressed': { kind: 'sum', unit: 'count', per: 'platform', means: 'rounds of control that found the shared queues pressed' },
  'admission.failed': {
    kind: 'sum',
    unit: 'count',
    per: 'platform',
    means: 'reads and reports of admission that failed; nobody is refused for it',
  },

  'hint.parked': { kind: 'sum', unit: 'count', per: 'type', means: 'hints put into the backlog of a full lane' },
  'hint.revived': { kind: 'sum', unit: 'count', per: 'platform', means: 'messages of the hints dead-letter queue that were hinted again' },
  'hint.unreadable': { kind: 'sum', unit: 'count', per: 'platform', means: 'messages of shard queues that are no hints' },
  'bucket.moved': { kind: 'sum', unit: 'count', per: 'platform', means: 'tasks whose hint went from a bucket to a queue' },
  'lanes.waiting': { kind: 'sum', unit: 'count', per: 'platform', means: 'lanes with a backlog' },
  'resource.missing': {
    kind: 'sum',
    unit: 'count',
    per: 'type',
    means: 'rounds of control that found a resource of the type not deployed',
  },
  'tick.late': { kind: 'values', unit: 's', per: 'platform', means: 'how late the minute tick moved the earliest hint; 0 in time' },

  'backlog.size': { kind: 'values', unit: 'count', per: 'type', means: 'hints in the backlogs of all lanes, at least' },
  'backlog.age': { kind: 'values', unit: 's', per: 'type', means: 'how long the hint that has rested longest has been due' },
  'lane.use': { kind: 'values', unit: 'percent', per: 'type', means: 'permits of a lane in use, of its limit, when permits are taken' },
  'lane.limit': { kind: 'values', unit: 'count', per: 'type', means: 'attempts that a lane may have in flight, when permits are taken' },
  'lane.in_flight': { kind: 'values', unit: 'count', per: 'type', means: 'attempts of a lane in flight, when permits are taken' },

  'task.wait_time': { kind: 'values', unit: 'ms', per: 'type', means: 'from the time that an attempt was due to its claim' },
  'task.succeeded': { kind: 'sum', unit: 'count', per: 'type', means: 'tasks that ended well' },
  'task.failed': { kind: 'sum', unit: 'count', per: 'type', means: 'tasks that failed for good: the dead letters' },
  'task.expired': { kind: 'sum', unit: 'count', per: 'type', means: 'tasks that had not started in time' },
  'task.cancelled': { kind: 'sum', unit: 'count', per: 'type', means: 'tasks that were cancelled' },
  'task.late_success': { kind: 'sum', unit: 'count', per: 'type', means: 'successes that came when they no longer counted' },

  'attempt.run_time': { kind: 'values', unit: 'ms', per: 'type', means: 'from the start of an attempt, or else its claim, to its end' },
  'attempt.retryable': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts that failed and may be tried again' },
  'attempt.fatal': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts that failed for good' },
  'attempt.crashed': {
    kind: 'sum',
    unit: 'count',
    per: 'type',
    means: 'attempts that crashed their handler: exit, no memory, time-out, failed start',
  },
  'attempt.throttled': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts that were slowed down (429), free of charge' },
  'attempt.preempted': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts that made room for a higher class, free of charge' },
  'attempt.undone': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts that never started, free of charge' },
  'attempt.impossible': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts whose payload is gone' },
  'attempt.lost': { kind: 'sum', unit: 'count', per: 'type', means: 'attempts whose lease ended without an outcome' },

  'start.throttled': { kind: 'sum', unit: 'count', per: 'type', means: 'starts that Lambda refused with a 429' },
  'start.missing': { kind: 'sum', unit: 'count', per: 'type', total: true, means: 'starts of a handler that is gone; its tasks wait' },
  'start.to_wait': { kind: 'sum', unit: 'count', per: 'type', means: 'times that a type with `start: auto` became one that is waited for' },
  'start.to_event': { kind: 'sum', unit: 'count', per: 'type', means: 'times that it became one that is started by event again' },
  'start.unknown': { kind: 'sum', unit: 'count', per: 'type', means: 'starts of which it is not known whether they happened' },
  'type.missing': { kind: 'sum', unit: 'count', per: 'type', total: true, means: 'tasks or lanes whose type is gone; they wait' },

  'rate.held': { kind: 'sum', unit: 'count', per: 'type', means: 'hints that the rates of their lane hold back in the backlog' },
  'retry.held': { kind: 'sum', unit: 'count', per: 'type', means: 'retries that found no budget and wait in the backlog' },
  'breaker.opened': { kind: 'sum', unit: 'count', per: 'type', means: 'times that a breaker opened, failed probes included' },
  'breaker.closed': { kind: 'sum', unit: 'count', per: 'type', means: 'times that a breaker closed' },
  'breaker.open': { kind: 'sum', unit: 'count', per: 'type', total: true, means: 'minutes in which a breaker was not closed' },
  'breaker.held': { kind: 'sum', unit: 'count', per: 'type', means: 'hints that wait because a breaker is not closed' },
  'breaker.excused': { kind: 'sum', unit: 'count', per: 'type', means: 'crashes that do not count, because the whole type crashes' },

  'dispatch.failed': {
    kind: 'sum',
    unit: 'count',
    per: 'type',
    total: true,
    means: 'hints that dispatch could not work off; they come again',
  },
  'drain.failed': { kind: 'sum', unit: 'count', per: 'type', total: true, means: 'backlogs that dispatch could not work off; they stay' },
  'settle.failed': { kind: 'sum', unit: 'count', per: 'platform', means: 'outcome records that settle gave back' },
  'outcome.unreadable': { kind: 'sum', unit: 'count', per: 'platform', means: 'messages of the outcomes queue that are no records' },

  'routing.promoted': { kind: 'sum', unit: 'count', per: 'platform', means: 'tenants that got queues of their own' },
  'routing.demoted': { kind: 'sum', unit: 'count', per: 'platform', means: 'tenants that went back to the shared queues' },
  'routing.moved': { kind: 'sum', unit: 'count', per: 'platform', means: 'latency-sensitive tenants that were moved off busy queues' },
  'routing.failed': {
    kind: 'sum',
    unit: 'count',
    per: 'platform',
    means: 'calls that make or delete dedicated queues and failed; they are repeated',
  },

  'schedule.submitted': { kind: 'sum', unit: 'count', per: 'platform', means: 'occurrences of schedules whose task was submitted' },
  'schedule.skipped': { kind: 'sum', unit: 'count', per: 'platform', means: 'occurrences that met one that had not ended' },
  'schedule.missed': { kind: 'sum', unit: 'count', per: 'platform', means: 'occurrences that were too late' },
  'schedule.failed': { kind: 'sum', unit: 'count', per: 'platform', means: 'occurrences whose task was refused' },
  'schedule.repaired': {
    kind: 'sum',
    unit: 'count',
    per: 'platform',
    means: 'schedules whose next occurrence was overdue, and was armed again',
  },

  'api.internal_error': { kind: 'sum', unit: 'count', per: 'platform', means: 'calls of the API that were answered with a 500' },
  'authorizer.refused': { kind: 'sum', unit: 'count', per: 'platform', means: 'calls with a token that is not valid' },
  'audit.found': { kind: 'sum', unit: 'count', per: 'platform', means: 'tasks that nobody had looked at' },
  'audit.incomplete': { kind: 'sum', unit: 'count', per: 'platform', means: 'audits that ran out of time' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;
type NameOf<K extends Metric['kind']> = { [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never }[MetricName];
/** Metrics whose occurrences are added up. */
export type CountName = NameOf<'sum'>;
/** Metrics that are distributions of values. */
export type MeasureName = NameOf<'values'>;

/** The namespace of a platform's metrics: two platforms in one account and region must not share a series. */
export function metricNamespace(platform: string): string {
  return `Sluice/${platform}`;
}
