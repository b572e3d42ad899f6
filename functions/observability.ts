import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type CountName, hasTotal, type MeasureName, unitOf } from '@sluice/contracts';
import type { Context } from 'aws-lambda';
import type { Telemetry } from '../core/ports/telemetry.ts';

export interface Observability {
  readonly telemetry: Telemetry;
  /** Writes what was counted and measured since the last time, as embedded metric format on standard output. */
  readonly flush: () => void;
  /**
   * Wraps a handler: its log lines carry the request's id, an error that it throws is logged, and what it counted is
   * written whichever way it ends.
   */
  readonly observed: <E, R>(handler: (event: E, context: Context) => Promise<R>) => (event: E, context: Context) => Promise<R>;
}

/** What one line of metrics will tell of one type, or of none. */
interface Kept {
  readonly sums: Map<CountName, number>;
  readonly values: Map<MeasureName, number[]>;
}

const UNITS = {
  count: MetricUnit.Count,
  ms: MetricUnit.Milliseconds,
  s: MetricUnit.Seconds,
  percent: MetricUnit.Percent,
} as const;

/**
 * Values of one metric in one line. The format allows a hundred, and Powertools then writes the line at once and forgets
 * its dimensions: whatever came after would be counted for no type.
 */
const VALUES_IN_LINE = 99;

/**
 * Logs and counts of one function. Make one at cold start.
 *
 * The only dimension is the task type: a metric costs by the month and series, so that tenants are fields of log
 * lines. What is counted is kept until {@link Observability.flush}, one line for each type, since a line is billed too;
 * a line that is full is written before. The namespace is `POWERTOOLS_METRICS_NAMESPACE`.
 *
 * @param name the function's name, in every log line as `service`
 */
export function createObservability(name: string): Observability {
  const logger = new Logger({ serviceName: `sluice-${name}` });
  const metrics = new Metrics();
  // Powertools adds `service` to every metric: each would be another series for each function.
  metrics.clearDefaultDimensions();
  const kept = new Map<string | undefined, Kept>();

  const keptOf = (type: string | undefined): Kept => {
    const found = kept.get(type) ?? { sums: new Map<CountName, number>(), values: new Map<MeasureName, number[]>() };
    kept.set(type, found);
    return found;
  };

  const write = (type: string | undefined): void => {
    const { sums, values } = keptOf(type);
    kept.delete(type);
    // An empty set is how the format says "no dimensions"; without any set the metric would be left out.
    metrics.addDimensions(type === undefined ? {} : { type });
    for (const [metric, sum] of sums) metrics.addMetric(metric, UNITS[unitOf(metric)], sum);
    for (const [metric, all] of values) for (const value of all) metrics.addMetric(metric, UNITS[unitOf(metric)], value);
    metrics.publishStoredMetrics();
  };

  const add = (metric: CountName, type: string | undefined, n: number): void => {
    const { sums } = keptOf(type);
    sums.set(metric, (sums.get(metric) ?? 0) + n);
  };

  const telemetry: Telemetry = {
    count: (metric, type, n = 1) => {
      add(metric, type, n);
      if (type !== undefined && hasTotal(metric)) add(metric, undefined, n);
    },
    measure: (metric, type, value) => {
      // JSON has no such number, and a line with one is refused whole.
      if (!Number.isFinite(value)) return;
      const { values } = keptOf(type);
      const all = values.get(metric) ?? [];
      values.set(metric, all);
      if (all.push(value) === VALUES_IN_LINE) write(type);
    },
    log: (level, message, fields) => logger[level](message, fields),
  };

  const flush = () => {
    for (const type of [...kept.keys()]) write(type);
  };

  return {
    telemetry,
    flush,
    observed: (handler) => async (event, context) => {
      logger.addContext(context);
      try {
        return await handler(event, context);
      } catch (error) {
        telemetry.log('error', 'the invocation failed', { error });
        throw error;
      } finally {
        flush();
      }
    },
  };
}
