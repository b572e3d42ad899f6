import type { FunctionName, MetricName } from '@sluice/contracts';
import { Duration } from 'aws-cdk-lib';
import type { Alarm, IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Alarms, AlarmSpec } from './alarms.ts';
import { IN_FLIGHT_QUOTA, METRICS_AN_ALARM } from './constants.ts';
import { combined, FIVE_MINUTES, functionMetric, MINUTE, platformMetric, queueMetric } from './metrics.ts';

/** What the platform's own alarms watch, by physical names. */
export interface Watched {
  readonly name: string;
  readonly functions: readonly FunctionName[];
  readonly shardQueues: readonly string[];
  readonly hintsDead: string;
  readonly outcomesDead: string;
}

/** An audit is once a day: long enough to be seen, short enough to be over before the next. */
const SIX_HOURS = Duration.hours(6);
/** Seconds. A hint may be delayed by 15 minutes, and its age may count from when it was sent. */
const QUEUE_AGE = 1_800;
/** Seconds that the earliest hint of a bucket may be late. */
const TICK_LATE = 60;

/** The alarms that are not about one task type. */
export function addPlatformAlarms(alarms: Alarms, watched: Watched): Alarm[] {
  const specs = [...upkeep(watched), ...errors(watched), ...waiting(watched), ...deadLetters(watched), ...queues(watched)];
  return specs.map((spec) => alarms.add(spec));
}

function upkeep({ name }: Watched): AlarmSpec[] {
  const audited = [platformMetric(name, 'audit.incomplete'), functionMetric(name, 'audit', 'Errors')];
  return [
    {
      id: 'tick-late',
      metric: platformMetric(name, 'tick.late', { period: MINUTE }),
      threshold: TICK_LATE,
      // The schedule may fire anywhere within its minute, so that a minute now and then has no tick.
      datapoints: [4, 5],
      missingIsBad: true,
    },
    { id: 'schedule-failed', metric: platformMetric(name, 'schedule.failed', { period: FIVE_MINUTES }), threshold: 1 },
    { id: 'schedule-repaired', metric: platformMetric(name, 'schedule.repaired', { period: FIVE_MINUTES }), threshold: 1 },
    { id: 'audit-found', metric: platformMetric(name, 'audit.found', { period: SIX_HOURS }), threshold: 1 },
    { id: 'audit-failed', metric: combined('SUM', audited, { label: 'audits that failed', period: SIX_HOURS }), threshold: 1 },
  ];
}

function errors({ name, functions }: Watched): AlarmSpec[] {
  const failures = (fns: readonly FunctionName[], counts: readonly MetricName[]): IMetric => {
    const of = fns.filter((fn) => functions.includes(fn)).map((fn) => functionMetric(name, fn, 'Errors'));
    const counted = counts.map((metric) => platformMetric(name, metric));
    return combined('SUM', [...of, ...counted], { label: 'failures', period: FIVE_MINUTES });
  };
  const throttled = functions.map((fn) => functionMetric(name, fn, 'Throttles'));
  return [
    { id: 'submit-errors', metric: failures(['submit', 'authorizer'], ['submit.failed']), threshold: 5 },
    { id: 'api-errors', metric: failures(['api'], ['api.internal_error']), threshold: 5 },
    {
      id: 'dispatch-errors',
      metric: failures(['dispatch'], ['dispatch.failed', 'drain.failed', 'hint.unreadable']),
      threshold: 10,
      datapoints: [2, 3],
    },
    { id: 'settle-errors', metric: failures(['settle'], ['settle.failed', 'outcome.unreadable']), threshold: 10, datapoints: [2, 3] },
    { id: 'timers-errors', metric: functionMetric(name, 'timers', 'Errors').with({ period: FIVE_MINUTES }), threshold: 2 },
    { id: 'control-errors', metric: functionMetric(name, 'control', 'Errors').with({ period: FIVE_MINUTES }), threshold: 2 },
    // Each minute tries again what failed in the one before: more than a passing fault is one that stays for ten.
    { id: 'routing-failed', metric: platformMetric(name, 'routing.failed', { period: FIVE_MINUTES }), threshold: 3, datapoints: [2, 2] },
    {
      id: 'throttles',
      metric: combined('SUM', throttled, { label: 'throttles', period: FIVE_MINUTES }),
      threshold: 10,
      datapoints: [3, 3],
    },
  ];
}

/** Twice in a row: while a function or a type is being replaced it may be missed once. */
function waiting({ name }: Watched): AlarmSpec[] {
  const total = (metric: MetricName): Pick<AlarmSpec, 'metric' | 'threshold' | 'datapoints'> => ({
    metric: platformMetric(name, metric, { period: FIVE_MINUTES }),
    threshold: 1,
    datapoints: [2, 2],
  });
  return [
    { id: 'type-missing', ...total('type.missing') },
    { id: 'handler-missing', ...total('start.missing') },
    { id: 'breaker-open', ...total('breaker.open') },
  ];
}

function deadLetters({ hintsDead, outcomesDead }: Watched): AlarmSpec[] {
  // Not what was sent: a redrive by SQS is not counted there. And what the tick has just received is in flight.
  const inside = (queue: string): IMetric => {
    const metrics = ['ApproximateNumberOfMessagesVisible', 'ApproximateNumberOfMessagesNotVisible'].map((m) => queueMetric(queue, m));
    return combined('SUM', metrics, { label: 'messages', period: FIVE_MINUTES });
  };
  return [
    { id: 'hints-dead', metric: inside(hintsDead), threshold: 1, datapoints: [3, 3] },
    { id: 'outcomes-dead', metric: inside(outcomesDead), threshold: 1 },
  ];
}

/** An expression takes ten metrics: each ten queues have an alarm. */
function queues({ shardQueues }: Watched): AlarmSpec[] {
  const groups = Array.from({ length: Math.ceil(shardQueues.length / METRICS_AN_ALARM) }, (_, i) =>
    shardQueues.slice(i * METRICS_AN_ALARM, (i + 1) * METRICS_AN_ALARM),
  );
  const each = (id: 'queue-age' | 'queue-in-flight', metricName: string, threshold: number): AlarmSpec[] =>
    groups.map((group, i) => ({
      id,
      of: String(i + 1),
      detail: `Queues ${group[0]} to ${group.at(-1)}.`,
      metric: combined(
        'MAX',
        group.map((queue) => queueMetric(queue, metricName)),
        { label: metricName, period: FIVE_MINUTES },
      ),
      threshold,
    }));
  return [
    ...each('queue-age', 'ApproximateAgeOfOldestMessage', QUEUE_AGE),
    ...each('queue-in-flight', 'ApproximateNumberOfMessagesNotVisible', 0.8 * IN_FLIGHT_QUOTA),
  ];
}
