/** `critical`: somebody must look now. `warning`: somebody must look today; the platform goes on by itself. */
export type Severity = 'critical' | 'warning';

interface AlarmText {
  readonly severity: Severity;
  /** What it means, in one sentence; the rest is in the section of the runbook that has the alarm's id as its heading. */
  readonly says: string;
}

/** Every kind of alarm. The ids are part of alarm names and the anchors of the runbook: one that changes breaks links. */
export const ALARMS = {
  'tick-late': { severity: 'critical', says: 'The minute tick is late or no longer comes: delayed tasks and backlogs wait.' },
  'queue-age': { severity: 'critical', says: 'A hint has been in a shard queue for 30 minutes: dispatch does not work it off.' },
  'queue-in-flight': {
    severity: 'critical',
    says: 'A shard queue has 80 % of the messages in flight that SQS allows; at 120,000 it stops.',
  },
  'submit-errors': { severity: 'critical', says: 'Submissions fail on our side.' },
  'api-errors': { severity: 'warning', says: 'Calls of the API fail on our side.' },
  'dispatch-errors': { severity: 'warning', says: 'Dispatch fails; its hints come again.' },
  'settle-errors': { severity: 'warning', says: 'Settle fails; its records come again.' },
  'timers-errors': { severity: 'warning', says: 'A part of the minute tick fails; the next tick makes up for it.' },
  'control-errors': { severity: 'warning', says: 'A step of control fails: shares of lanes stay as they were.' },
  'routing-failed': {
    severity: 'warning',
    says: 'Queues of their own for busy tenants can be neither made nor taken away: their work stays where it is.',
  },
  throttles: { severity: 'warning', says: 'Lambda throttles functions of the platform.' },
  'hints-dead': { severity: 'warning', says: 'Messages stay in the dead-letter queue of hints: the tick cannot hint them again.' },
  'outcomes-dead': { severity: 'warning', says: 'Outcome records are in their dead-letter queue: nothing takes them back by itself.' },
  'type-missing': { severity: 'critical', says: 'Tasks wait for a task type that is not deployed.' },
  'handler-missing': { severity: 'critical', says: 'Tasks wait for a handler function that is gone or may not be called.' },
  'breaker-open': {
    severity: 'critical',
    says: 'Every attempt of a task type crashes: its tasks are held, and probes find out when it is over.',
  },
  'schedule-failed': { severity: 'warning', says: 'Tasks of schedules are refused: occurrences fail.' },
  'schedule-repaired': { severity: 'warning', says: 'Schedules stood still, and were armed again.' },
  'audit-found': { severity: 'critical', says: 'The audit found tasks that nobody had looked at.' },
  'audit-failed': { severity: 'warning', says: 'The audit failed or ran out of time.' },
  'oldest-age': { severity: 'critical', says: 'The oldest task in the backlog has waited longer than its type should.' },
  'dead-letters': { severity: 'warning', says: 'Tasks failed for good.' },
} as const satisfies Record<string, AlarmText>;

export type AlarmId = keyof typeof ALARMS;

/** Where the runbook is, unless the platform is told otherwise. */
export const RUNBOOK = 'docs/runbook.md';

/** Messages in flight at which a standard queue gives out no more. */
export const IN_FLIGHT_QUOTA = 120_000;

/** Metrics that the expression of one alarm may use. */
export const METRICS_AN_ALARM = 10;

/**
 * Task types with a row of their own. A dashboard has at most 500 widgets and 2,500 metrics, those that its searches
 * find included; a row has nine and 32.
 */
export const MAX_ROWS = 40;

/** Task types with alarms of their own: two each, of the 500 resources that a stack may have. */
export const MAX_TYPES = 200;

/** Oldest age that a type's backlog may have, where the type does not say it itself, minutes. */
export const AGE_OBJECTIVE_MINUTES = 15;
