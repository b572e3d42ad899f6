import type { MetricName, METRICS } from './metrics.ts';

/*
 * What functions need of METRICS, apart from it: its texts would be a fiftieth of what they load. A test holds that both
 * say the same.
 */

type Unit = (typeof METRICS)[MetricName]['unit'];

/** Metrics in another unit than counts. */
export const METRICS_BY_UNIT = {
  ms: ['task.wait_time', 'attempt.run_time'],
  s: ['tick.late', 'backlog.age'],
  percent: ['lane.use'],
} as const satisfies Record<Exclude<Unit, 'count'>, readonly MetricName[]>;

/** Metrics with a series for all types together beside those of the types. */
export const METRICS_WITH_TOTAL: readonly MetricName[] = [
  'submit.failed',
  'start.missing',
  'type.missing',
  'breaker.open',
  'dispatch.failed',
  'drain.failed',
];

export function unitOf(name: MetricName): Unit {
  for (const unit of ['ms', 's', 'percent'] as const) if ((METRICS_BY_UNIT[unit] as readonly MetricName[]).includes(name)) return unit;
  return 'count';
}

/** Whether a metric has a series for all types together beside those of the types. */
export function hasTotal(name: MetricName): boolean {
  return METRICS_WITH_TOTAL.includes(name);
}
