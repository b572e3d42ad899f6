import type { MetricName } from '@sluice/contracts';
import { type Duration, Token } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Color,
  GraphWidget,
  type GraphWidgetProps,
  type IMetric,
  type IWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { MINUTE, platformMetric } from './metrics.ts';

/** Four graphs beside each other. */
const QUARTER = { width: 6, height: 6, period: MINUTE };
const WHOLE = { width: 24, height: 2 };
const LEFT_FROM_0 = { leftYAxis: { min: 0 }, rightYAxis: { min: 0 } };

/** A task type as the dashboard shows it. */
export interface TypeShown {
  readonly type: string;
  readonly ageObjective: Duration;
  /** Attempts of one tenant in flight at once; may be known only at deploy time. */
  readonly concurrency: number;
  readonly alarms: readonly Alarm[];
}

/** The row of one task type: what goes in, what waits, what runs, what comes out. */
export function rowOf(platform: string, { type, ageObjective, concurrency, alarms }: TypeShown): IWidget[][] {
  const of = (name: MetricName, statistic?: string, label: string = name) =>
    platformMetric(platform, name, { type, label, ...(statistic !== undefined && { statistic }) });
  const sums = (...names: readonly MetricName[]): IMetric[] => names.map((name) => of(name));
  const percentiles = (name: MetricName): IMetric[] => [50, 90, 99].map((p) => of(name, Stats.percentile(p), `p${p}`));
  const graph = (title: string, props: GraphWidgetProps) =>
    new GraphWidget({ ...QUARTER, ...LEFT_FROM_0, ...props, title: `${type}: ${title}` });
  const objective = { value: ageObjective.toSeconds(), label: 'objective, s', color: Color.RED };
  return [
    [new AlarmStatusWidget({ ...WHOLE, title: type, alarms: [...alarms] })],
    [
      graph('submissions', { left: sums('submit.accepted', 'submit.deduplicated', 'submit.refused', 'submit.throttled', 'submit.failed') }),
      graph('backlog and oldest age', {
        left: [of('backlog.size')],
        right: [of('backlog.age', undefined, 'oldest age, s')],
        rightAnnotations: [objective],
      }),
      graph('in flight against limit, busiest lane', {
        left: [of('lane.in_flight')],
        leftAnnotations: Token.isUnresolved(concurrency) ? [] : [{ value: concurrency, label: 'limit', color: Color.GREY }],
        right: [of('lane.use', undefined, 'of its limit, %')],
      }),
      graph('throughput: tasks that ended', {
        left: sums('task.succeeded', 'task.failed', 'task.expired', 'task.cancelled'),
        stacked: true,
      }),
    ],
    [
      graph('outcomes by class', {
        left: [
          of('task.succeeded', undefined, 'succeeded'),
          ...(['retryable', 'fatal', 'crashed', 'throttled', 'preempted', 'undone', 'impossible', 'lost'] as const).map((each) =>
            of(`attempt.${each}`, undefined, each),
          ),
          of('task.late_success', undefined, 'late success'),
        ],
        stacked: true,
      }),
      graph('time waiting, ms', { left: percentiles('task.wait_time') }),
      graph('run time, ms', { left: percentiles('attempt.run_time') }),
      graph('429s and dead letters', {
        left: sums('submit.throttled', 'start.throttled', 'attempt.throttled'),
        right: [of('task.failed', undefined, 'dead letters')],
      }),
    ],
  ];
}
