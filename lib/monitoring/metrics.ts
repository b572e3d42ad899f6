import { type FunctionName, metricNamespace, type MetricName, METRICS } from '@sluice/contracts';
import { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, type MetricOptions, SearchExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';

/** Of a graph, as the tick measures once a minute. */
export const MINUTE = Duration.minutes(1);
/** Of an alarm that is not about the tick. */
export const FIVE_MINUTES = Duration.minutes(5);

export interface PlatformMetricOptions extends MetricOptions {
  /** The task type whose series it is. @default the platform's own series */
  readonly type?: string;
}

/** A metric of the platform, its sum or its maximum over a minute if nothing else is asked for. */
export function platformMetric(platform: string, name: MetricName, { type, ...options }: PlatformMetricOptions = {}): Metric {
  return new Metric({
    namespace: metricNamespace(platform),
    metricName: name,
    statistic: METRICS[name].kind === 'sum' ? Stats.SUM : Stats.MAXIMUM,
    period: MINUTE,
    ...(type !== undefined && { dimensionsMap: { type } }),
    ...options,
  });
}

/** A metric of Lambda about one of the platform's functions. By name: a reference would tie two stacks together. */
export function functionMetric(platform: string, fn: FunctionName, metricName: string, statistic: string = Stats.SUM): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName,
    dimensionsMap: { FunctionName: `${platform}-${fn}` },
    statistic,
    period: MINUTE,
    label: fn,
  });
}

/** A metric of SQS about one of the platform's queues, by its physical name. */
export function queueMetric(queueName: string, metricName: string): Metric {
  return new Metric({
    namespace: 'AWS/SQS',
    metricName,
    dimensionsMap: { QueueName: queueName },
    statistic: Stats.MAXIMUM,
    period: MINUTE,
    label: queueName,
  });
}

export interface CombinedOptions {
  readonly label: string;
  /** In front of the ids of the metrics, which must differ within one graph. @default 'm' */
  readonly id?: string;
  /** @default a minute */
  readonly period?: Duration;
}

/** The sum, or the greatest, of metrics. Those without a value count for nothing. */
export function combined(how: 'SUM' | 'MAX', metrics: readonly Metric[], options: CombinedOptions): MathExpression {
  const { label, id = 'm', period = MINUTE } = options;
  const usingMetrics = Object.fromEntries(metrics.map((metric, i) => [`${id}${i}`, metric.with({ period })]));
  return new MathExpression({ expression: `${how}([${Object.keys(usingMetrics).join(',')}])`, usingMetrics, label, period });
}

/** A line for each task type, whichever there are: found when the graph is drawn. */
export function eachType(platform: string, name: MetricName): SearchExpression {
  const statistic = METRICS[name].kind === 'sum' ? Stats.SUM : Stats.MAXIMUM;
  return new SearchExpression({
    expression: `SEARCH('{"${metricNamespace(platform)}",type} MetricName="${name}"', '${statistic}', 60)`,
    period: MINUTE,
  });
}
