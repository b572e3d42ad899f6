import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createObservability } from '../../../functions/observability.ts';

let lines: string[] = [];
const context = { awsRequestId: 'request-1', functionName: 'f' } as Context;

beforeEach(() => {
  lines = [];
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Sluice/test');
  const write = (chunk: string | Uint8Array) => (lines.push(...String(chunk).trim().split('\n')), true);
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const parsed = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('createObservability', () => {
  it('writes one line of metrics for each type, with no other dimension', async () => {
    const { telemetry, observed } = createObservability('settle');
    await observed(async () => {
      telemetry.count('task.succeeded', 'echo');
      telemetry.count('task.succeeded', 'echo', 2);
      telemetry.count('task.failed', 'echo');
      telemetry.count('settle.failed', undefined);
    })({}, context);
    const metric = (name: string) => ({ Name: name, Unit: 'Count' });
    expect(parsed()).toEqual([
      {
        _aws: {
          Timestamp: expect.any(Number) as number,
          CloudWatchMetrics: [
            { Namespace: 'Sluice/test', Dimensions: [['type']], Metrics: [metric('task.succeeded'), metric('task.failed')] },
          ],
        },
        type: 'echo',
        'task.succeeded': 3,
        'task.failed': 1,
      },
      {
        _aws: {
          Timestamp: expect.any(Number) as number,
          CloudWatchMetrics: [{ Namespace: 'Sluice/test', Dimensions: [[]], Metrics: [metric('settle.failed')] }],
        },
        'settle.failed': 1,
      },
    ]);
  });

  it('writes nothing when nothing was counted, and nothing twice', async () => {
    const { telemetry, flush } = createObservability('settle');
    flush();
    expect(lines).toEqual([]);
    telemetry.count('settle.failed', undefined);
    flush();
    flush();
    expect(lines).toHaveLength(1);
  });

  it('logs with the request and the fields, and what a handler throws', async () => {
    const { telemetry, observed } = createObservability('submit');
    const handler = observed(async () => {
      telemetry.log('warn', 'look', { tenant: 'acme', task: 'a', error: new Error('no') });
      telemetry.count('settle.failed', undefined);
      throw new Error('broken');
    });
    await expect(handler({}, context)).rejects.toThrow('broken');
    const [warned, failed, metrics] = parsed();
    const common = { service: 'sluice-submit', function_request_id: 'request-1' };
    expect(warned).toMatchObject({
      ...common,
      level: 'WARN',
      message: 'look',
      tenant: 'acme',
      task: 'a',
      error: { name: 'Error', message: 'no' },
    });
    expect(failed).toMatchObject({ ...common, level: 'ERROR', error: { message: 'broken' } });
    expect(metrics).toMatchObject({ 'settle.failed': 1 });
  });

  it('writes values as they are, with the unit of their metric', () => {
    const { telemetry, flush } = createObservability('dispatch');
    telemetry.measure('task.wait_time', 'echo', 12);
    telemetry.measure('task.wait_time', 'echo', 8);
    telemetry.measure('lane.use', 'echo', 50);
    telemetry.measure('tick.late', undefined, 0);
    flush();
    expect(parsed().map((line) => ({ ...line, _aws: metricsOf(line) }))).toEqual([
      {
        _aws: [
          { Name: 'task.wait_time', Unit: 'Milliseconds' },
          { Name: 'lane.use', Unit: 'Percent' },
        ],
        type: 'echo',
        'task.wait_time': [12, 8],
        'lane.use': 50,
      },
      { _aws: [{ Name: 'tick.late', Unit: 'Seconds' }], 'tick.late': 0 },
    ]);
  });

  it.each([1, 98, 99, 100, 101, 250])('loses none of %i values, and writes no more in a line than the format takes', (n) => {
    const { telemetry, flush } = createObservability('dispatch');
    const values = Array.from({ length: n }, (_, i) => i);
    telemetry.count('hint.parked', 'echo', 5);
    for (const value of values) {
      telemetry.measure('task.wait_time', 'echo', value);
      telemetry.measure('lane.in_flight', 'echo', value + 0.5);
    }
    flush();
    const all = (name: string) => parsed().flatMap((line) => line[name] ?? []);
    expect(all('task.wait_time')).toEqual(values);
    expect(all('lane.in_flight')).toEqual(values.map((value) => value + 0.5));
    expect(all('hint.parked')).toEqual([5]);
    for (const line of parsed()) {
      expect(line).toMatchObject({ type: 'echo', _aws: { CloudWatchMetrics: [{ Dimensions: [['type']] }] } });
      for (const value of Object.values(line)) if (Array.isArray(value)) expect(value.length).toBeLessThanOrEqual(100);
    }
  });

  it('counts what an alarm needs for all types together too', () => {
    const { telemetry, flush } = createObservability('dispatch');
    telemetry.count('start.missing', 'echo', 2);
    telemetry.count('start.missing', 'mail');
    telemetry.count('start.throttled', 'mail');
    flush();
    const told = parsed().map(({ type, 'start.missing': missing, 'start.throttled': throttled }) => [type, missing, throttled]);
    expect(told).toEqual([
      ['echo', 2, undefined],
      [undefined, 3, undefined],
      ['mail', 1, 1],
    ]);
  });

  it('leaves out what is no number, for it would cost the whole line', () => {
    const { telemetry, flush } = createObservability('dispatch');
    for (const value of [NaN, Infinity, 3]) telemetry.measure('task.wait_time', 'echo', value);
    flush();
    expect(parsed()).toMatchObject([{ 'task.wait_time': 3 }]);
  });
});

function metricsOf(line: Record<string, unknown>): unknown {
  return (line['_aws'] as { CloudWatchMetrics: { Metrics: unknown }[] }).CloudWatchMetrics[0]?.Metrics;
}
