import { describe, expect, it } from 'vitest';
import { AsyncQueue } from '../../local/lambda/async-queue.ts';
import { ConcurrencyPool } from '../../local/lambda/concurrency.ts';
import type { Begun, EventInvokeConfig, InvocationTarget, LambdaService } from '../../local/lambda/service.ts';
import { HostState } from '../../local/state.ts';
import { FakeClock, settled } from './support/fake-clock.ts';

const CONFIG: EventInvokeConfig = { maximumRetryAttempts: 2, maximumEventAgeSeconds: 3600, onSuccess: 'ok', onFailure: 'failed' };

/** A queue over a function that fails or is full as the test says. */
function build(config: Partial<EventInvokeConfig> = {}, state = new HostState(undefined)) {
  const clock = new FakeClock();
  const records: Record<string, unknown>[] = [];
  const runs: number[] = [];
  let failures = 0;
  let isFull = false;
  const target = { fn: { configuration: { name: 'f' }, arn: 'arn:f' }, qualifier: undefined, version: '$LATEST', arn: 'arn:f' };
  const service = {
    concurrency: new ConcurrencyPool(10),
    find: () => target as unknown as InvocationTarget,
    eventInvokeConfigOf: () => ({ ...CONFIG, ...config }),
    begin: (_target: unknown, _event: string, requestId: string): Begun => {
      if (isFull) return { kind: 'throttled', reason: 'ConcurrentInvocationLimitExceeded' };
      runs.push((clock.now() - start) / 1000);
      failures -= 1;
      const failed = failures >= 0;
      return {
        kind: 'started',
        completion: Promise.resolve({
          requestId,
          executedVersion: '$LATEST',
          payload: failed ? '{"errorType":"E"}' : '"fine"',
          ...(failed ? { functionError: 'Unhandled' as const } : {}),
        }),
      };
    },
  } as unknown as LambdaService;
  const start = clock.now();
  const queue = new AsyncQueue(service, {
    state,
    clock,
    log: () => undefined,
    send: async (arn, body) => void records.push({ arn, ...(JSON.parse(body) as object) }),
  });
  return {
    queue,
    clock,
    records,
    runs,
    state,
    accept: () => queue.accept(target as unknown as InvocationTarget, '{"n":1}'),
    fail: (times: number) => (failures = times),
    fill: (full: boolean) => (isFull = full),
  };
}

describe('the asynchronous queue', () => {
  it('retries function errors after one and two minutes', async () => {
    const { accept, fail, clock, runs, records } = build();
    fail(5);
    accept();
    await clock.advance(600_000);
    expect(runs).toEqual([0, 60, 180]);
    expect(records).toMatchObject([
      { arn: 'failed', requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 }, responsePayload: { errorType: 'E' } },
    ]);
  });

  it('retries throttles with a growing back-off until the event is too old', async () => {
    const { accept, fill, clock, runs, records } = build({ maximumEventAgeSeconds: 60 });
    fill(true);
    accept();
    await clock.advance(59_000);
    expect(records).toEqual([]);
    await clock.advance(1000);
    expect(runs).toEqual([]);
    expect(records).toMatchObject([
      { arn: 'failed', requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 }, requestPayload: { n: 1 } },
    ]);
    expect(records[0]?.['responseContext']).toBeUndefined();
  });

  it('ends a retry that would come after the event age at that age, with the last response', async () => {
    const { accept, fail, clock, runs, records } = build({ maximumEventAgeSeconds: 90 });
    fail(5);
    accept();
    await clock.advance(90_000);
    expect(runs).toEqual([0, 60]);
    expect(records).toMatchObject([{ requestContext: { condition: 'EventAgeExceeded' }, responseContext: { functionError: 'Unhandled' } }]);
  });

  it('runs a throttled event once there is room again', async () => {
    const { accept, fill, clock, runs, records } = build();
    fill(true);
    accept();
    await clock.advance(5000);
    fill(false);
    await clock.advance(10_000);
    expect(runs).toHaveLength(1);
    expect(records).toMatchObject([{ arn: 'ok', requestContext: { condition: 'Success', approximateInvokeCount: 1 } }]);
  });

  it('forgets an event only after its record was sent', async () => {
    const state = new HostState(undefined);
    const before = build({}, state);
    before.fill(true);
    before.accept();
    before.queue.close();
    expect(state.list('async-event')).toHaveLength(1);
    const after = build({}, state);
    after.queue.resume();
    await settled();
    expect(after.records).toHaveLength(1);
    expect(state.list('async-event')).toEqual([]);
  });
});

describe('the concurrency of an account', () => {
  it('keeps reservations apart from what the others share', () => {
    const pool = new ConcurrencyPool(12);
    pool.reserve('own', 2);
    expect([pool.tryAcquire('own'), pool.tryAcquire('own'), pool.tryAcquire('own')]).toEqual([
      undefined,
      undefined,
      'ReservedFunctionConcurrentInvocationLimitExceeded',
    ]);
    for (let n = 0; n < 10; n += 1) expect(pool.tryAcquire(`f${n % 3}`)).toBeUndefined();
    expect(pool.tryAcquire('f0')).toBe('ConcurrentInvocationLimitExceeded');
    pool.release('f1');
    expect(pool.tryAcquire('f0')).toBeUndefined();
  });
});
