import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createObservability } from '../../../functions/observability.ts';

let lines: string[] = [];
const context = { awsRequestId: 'request-1', functionName: 'f' } as Context;

beforeEach(() => {
  lines = [];
  const write = (chunk: string | Uint8Array) => (lines.push(...String(chunk).trim().split('\n')), true);
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
});
afterEach(() => void vi.restoreAllMocks());

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
          CloudWatchMetrics: [{ Namespace: 'Sluice', Dimensions: [['type']], Metrics: [metric('task.succeeded'), metric('task.failed')] }],
        },
        type: 'echo',
        'task.succeeded': 3,
        'task.failed': 1,
      },
      {
        _aws: {
          Timestamp: expect.any(Number) as number,
          CloudWatchMetrics: [{ Namespace: 'Sluice', Dimensions: [[]], Metrics: [metric('settle.failed')] }],
        },
        'settle.failed': 1,
      },
    ]);
  });

  it('writes nothing when nothing was counted, and nothing twice', async () => {
    const { telemetry, flush } = createObservability('settle');
    flush();
    expect(lines).toEqual([]);
    telemetry.count('a', undefined);
    flush();
    flush();
    expect(lines).toHaveLength(1);
  });

  it('logs with the request and the fields, and what a handler throws', async () => {
    const { telemetry, observed } = createObservability('submit');
    const handler = observed(async () => {
      telemetry.log('warn', 'look', { tenant: 'acme', task: 'a', error: new Error('no') });
      telemetry.count('a', undefined);
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
    expect(metrics).toMatchObject({ a: 1 });
  });
});
