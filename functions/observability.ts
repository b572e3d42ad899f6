import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Context } from 'aws-lambda';
import type { Telemetry } from '../core/ports/telemetry.ts';

export interface Observability {
  readonly telemetry: Telemetry;
  /** Writes what was counted since the last time, as embedded metric format on standard output. */
  readonly flush: () => void;
  /**
   * Wraps a handler: its log lines carry the request's id, an error that it throws is logged, and what it counted is
   * written whichever way it ends.
   */
  readonly observed: <E, R>(handler: (event: E, context: Context) => Promise<R>) => (event: E, context: Context) => Promise<R>;
}

/**
 * Logs and counts of one function. Make one at cold start.
 *
 * The only dimension is the task type: a metric costs by the month and series, so that tenants are fields of log
 * lines. Sums are kept until {@link Observability.flush}, one line for each type, since a line is billed too.
 *
 * @param name the function's name, in every log line as `service`
 */
export function createObservability(name: string): Observability {
  const logger = new Logger({ serviceName: `sluice-${name}` });
  const metrics = new Metrics({ namespace: 'Sluice' });
  // Powertools adds `service` to every metric: each would be another series for each function.
  metrics.clearDefaultDimensions();
  const sums = new Map<string | undefined, Map<string, number>>();

  const telemetry: Telemetry = {
    count: (metric, type, n = 1) => {
      const ofType = sums.get(type) ?? new Map<string, number>();
      sums.set(type, ofType);
      ofType.set(metric, (ofType.get(metric) ?? 0) + n);
    },
    log: (level, message, fields) => logger[level](message, fields),
  };

  const flush = () => {
    for (const [type, ofType] of sums) {
      // An empty set is how the format says "no dimensions"; without any set the metric would be left out.
      metrics.addDimensions(type === undefined ? {} : { type });
      for (const [metric, sum] of ofType) metrics.addMetric(metric, MetricUnit.Count, sum);
      metrics.publishStoredMetrics();
    }
    sums.clear();
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
