import type { DestinationRecord, Outcome } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { classifyAnswer, classOfName, outcomeOfAnswer } from '../../../core/outcomes/classify.ts';
import { outcomeOfRecord } from '../../../core/outcomes/record.ts';
import { envelopeSample, recordSample, T0, UID } from '../../helpers/samples.ts';

const kit = { version: 1, class: 'succeeded', startedAt: T0, endedAt: T0 + 9 };

describe('a result', () => {
  it.each([
    ['as large as one may be', 1_048_574, 'succeeded'],
    ['larger', 1_048_575, 'fatal'],
  ])('%s: %i characters and two quotes', (_, length, outcomeClass) => {
    const text = 'x'.repeat(length);
    expect(classifyAnswer({ payload: text }).class).toBe(outcomeClass);
    const kit = { sluice: { version: 1, class: 'succeeded', startedAt: 1, endedAt: 2 }, result: text };
    expect(classifyAnswer({ payload: kit })).toMatchObject({ class: outcomeClass, startedAt: 1 });
    if (outcomeClass === 'fatal') {
      expect(classifyAnswer({ payload: text }).error).toMatchObject({
        name: 'ResultTooLarge',
        message: expect.stringContaining('1048577') as string,
      });
    }
  });
});

describe('the name of an error', () => {
  it.each([
    ['Error', 'retryable'],
    ['', 'retryable'],
    ['FatalError', 'fatal'],
    ['NonRetriableError', 'fatal'],
    ['NonRetryableError', 'fatal'],
    ['UnrecoverableError', 'fatal'],
    ['com.acme.FatalError', 'fatal'],
    ['fatalerror', 'retryable'],
    ['FatalError.', 'retryable'],
    ['ThrottledError', 'throttled'],
    ['RetryAfterError', 'throttled'],
    ['TooManyRequestsException', 'throttled'],
    ['ThrottlingException', 'throttled'],
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['SlowDown', 'throttled'],
    ['botocore.errorfactory.ThrottlingException', 'throttled'],
    ['Sandbox.Timedout', 'retryable'],
    ['Runtime.ExitError', 'retryable'],
    ['Runtime.OutOfMemory', 'retryable'],
  ])('%s stands for %s', (name, expected) => {
    expect(classOfName(name)).toBe(expected);
  });

  // Lambda's Ruby runtime says `Function<FatalError>`, Java nested classes `com.acme.Errors$FatalError`: the name
  // is what comes after the last of `.`, `$`, `<`, without a closing `>`.
  it.each(['Function<FatalError>', 'com.acme.Errors$FatalError'])('%s stands for fatal', (name) => {
    expect(classOfName(name)).toBe('fatal');
  });
});

describe('an answer', () => {
  const failures: [string, unknown, Partial<Outcome>][] = [
    [
      'Node',
      { errorType: 'TypeError', errorMessage: 'x is undefined', trace: ['TypeError: x', ' at y'] },
      { class: 'retryable', error: { name: 'TypeError', message: 'x is undefined', stack: 'TypeError: x\n at y' } },
    ],
    [
      'Node, fatal',
      { errorType: 'FatalError', errorMessage: 'bad input', trace: [] },
      { class: 'fatal', error: { name: 'FatalError', message: 'bad input', stack: '' } },
    ],
    [
      'Python',
      { errorMessage: 'no', errorType: 'RateLimitError', requestId: 'r', stackTrace: ['  File "a.py"\n', '  raise\n'] },
      { class: 'throttled', error: { name: 'RateLimitError', message: 'no', stack: '  File "a.py"\n\n  raise\n' } },
    ],
    [
      'Java',
      { errorMessage: 'no', errorType: 'java.lang.IllegalStateException', stackTrace: ['a.b(C.java:1)'], cause: { errorType: 'x' } },
      { class: 'retryable', error: { name: 'java.lang.IllegalStateException', message: 'no', stack: 'a.b(C.java:1)' } },
    ],
    [
      'a time-out',
      { errorMessage: '2026-01-01T00:00:00.000Z 7f2 Task timed out after 3.00 seconds' },
      {
        class: 'crashed',
        error: { name: 'Sandbox.Timedout', message: '2026-01-01T00:00:00.000Z 7f2 Task timed out after 3.00 seconds' },
      },
    ],
    [
      'a time-out with a type',
      { errorType: 'Sandbox.Timedout', errorMessage: 'RequestId: 7 Error: Task timed out after 3.00 seconds' },
      { class: 'crashed', error: { name: 'Sandbox.Timedout', message: 'RequestId: 7 Error: Task timed out after 3.00 seconds' } },
    ],
    [
      'out of memory',
      { errorType: 'Runtime.OutOfMemory', errorMessage: 'RequestId: 7 Error: Runtime exited with error: signal: killed' },
      {
        class: 'crashed',
        error: { name: 'Runtime.OutOfMemory', message: 'RequestId: 7 Error: Runtime exited with error: signal: killed' },
      },
    ],
    [
      'exit',
      { errorType: 'Runtime.ExitError', errorMessage: 'RequestId: 7 Error: Runtime exited without providing a reason' },
      {
        class: 'crashed',
        error: { name: 'Runtime.ExitError', message: 'RequestId: 7 Error: Runtime exited without providing a reason' },
      },
    ],
    ['an empty type', { errorType: '', errorMessage: 'no' }, { class: 'retryable', error: { name: 'Error', message: 'no' } }],
    [
      'a type of another type',
      { errorType: 7, errorMessage: { a: 1 } },
      { class: 'retryable', error: { name: 'Error', message: '{"errorType":7,"errorMessage":{"a":1}}' } },
    ],
    [
      'a stack that is none',
      { errorType: 'E', errorMessage: 'no', trace: 'x' },
      { class: 'retryable', error: { name: 'E', message: 'no' } },
    ],
    ['a string', 'no', { class: 'retryable', error: { name: 'Error', message: '"no"' } }],
    ['null', null, { class: 'retryable', error: { name: 'Error', message: 'null' } }],
    ['nothing', undefined, { class: 'retryable', error: { name: 'Error', message: 'null' } }],
    ['a list', ['no'], { class: 'retryable', error: { name: 'Error', message: '["no"]' } }],
    [
      'a kit reply under a function error',
      { sluice: kit },
      { class: 'retryable', error: { name: 'Error', message: JSON.stringify({ sluice: kit }) } },
    ],
  ];
  it.each(failures)('with a function error of %s', (_, payload, expected) => {
    expect(classifyAnswer({ functionError: 'Unhandled', payload })).toEqual(expected);
  });

  it('keeps errors small enough for their row', () => {
    const long = 'x'.repeat(10_000);
    const { error } = classifyAnswer({ functionError: 'Handled', payload: { errorType: long, errorMessage: long, trace: [long] } });
    expect([error?.name.length, error?.message.length, error?.stack?.length]).toEqual([256, 2_048, 4_096]);
    const said = classifyAnswer({ payload: { sluice: { ...kit, class: 'fatal', error: { name: long, message: long, stack: long } } } });
    expect([said.error?.name.length, said.error?.message.length, said.error?.stack?.length]).toEqual([256, 2_048, 4_096]);
  });

  const results: [string, unknown, Partial<Outcome>][] = [
    ['an object', { a: 1 }, { class: 'succeeded', result: '{"a":1}' }],
    ['a string', 'ok', { class: 'succeeded', result: '"ok"' }],
    ['zero', 0, { class: 'succeeded', result: '0' }],
    ['false', false, { class: 'succeeded', result: 'false' }],
    ['an empty string', '', { class: 'succeeded', result: '""' }],
    ['null', null, { class: 'succeeded' }],
    ['nothing', undefined, { class: 'succeeded' }],
    [
      'an error document without a function error',
      { errorType: 'FatalError', errorMessage: 'x' },
      { class: 'succeeded', result: '{"errorType":"FatalError","errorMessage":"x"}' },
    ],
    [
      'a kit of a version to come',
      { sluice: { ...kit, version: 2 } },
      { class: 'succeeded', result: JSON.stringify({ sluice: { ...kit, version: 2 } }) },
    ],
  ];
  it.each(results)('that is %s', (_, payload, expected) => {
    expect(classifyAnswer({ payload })).toEqual(expected);
  });

  const replies: [string, unknown, Partial<Outcome>][] = [
    ['success', { sluice: kit, result: [1] }, { class: 'succeeded', startedAt: T0, result: '[1]' }],
    ['success without a result', { sluice: kit }, { class: 'succeeded', startedAt: T0 }],
    ['success with null', { sluice: kit, result: null }, { class: 'succeeded', startedAt: T0 }],
    [
      'failure',
      { sluice: { ...kit, class: 'retryable', error: { name: 'E', message: 'm' } }, result: 'ignored' },
      { class: 'retryable', startedAt: T0, error: { name: 'E', message: 'm' } },
    ],
    ['a fatal failure', { sluice: { ...kit, class: 'fatal' } }, { class: 'fatal', startedAt: T0 }],
    ['a throttle', { sluice: { ...kit, class: 'throttled', retryAfterMs: 0 } }, { class: 'throttled', startedAt: T0, retryAfterMs: 0 }],
  ];
  it.each(replies)("that is the kit's %s", (_, payload, expected) => {
    expect(classifyAnswer({ payload })).toEqual(expected);
  });

  it.each(['undone', 'lost'])("can't claim to be %s", (cls) => {
    expect(classifyAnswer({ payload: { sluice: { ...kit, class: cls } } }).class).toBe('succeeded');
  });

  it('becomes the outcome of the attempt that its envelope names', () => {
    const { sluice } = envelopeSample({ fence: 5, attempt: 3 });
    expect(outcomeOfAnswer(sluice, { payload: 1 }, T0)).toEqual({
      v: 1,
      tenant: 'a',
      id: 't1',
      uid: UID,
      type: 'echo',
      fence: 5,
      attempt: 3,
      at: T0,
      class: 'succeeded',
      answered: true,
      result: '1',
    });
  });
});

describe('a record', () => {
  const context = (condition: string): Pick<DestinationRecord, 'requestContext'> => ({
    requestContext: { requestId: 'r', functionArn: 'arn', condition, approximateInvokeCount: 1 },
  });

  it.each([
    ['of a success', recordSample({ responsePayload: { a: 1 } }), { class: 'succeeded', result: '{"a":1}', at: T0 + 1_000, fence: 1 }],
    ['of a kit that says failure', recordSample({ responsePayload: { sluice: { ...kit, class: 'fatal' } } }), { class: 'fatal' }],
    [
      'of an exhausted event',
      recordSample({
        ...context('RetriesExhausted'),
        responseContext: { statusCode: 200, functionError: 'Unhandled' },
        responsePayload: { errorType: 'FatalError', errorMessage: 'x' },
      }),
      { class: 'fatal' },
    ],
    [
      'of an exhausted event without a function error',
      recordSample({ ...context('RetriesExhausted'), responsePayload: { errorMessage: 'Task timed out after 3.00 seconds' } }),
      { class: 'crashed', error: { name: 'Sandbox.Timedout' } },
    ],
    [
      'of an event that was too old',
      recordSample(context('EventAgeExceeded')),
      { class: 'throttled', error: { name: 'EventAgeExceeded' } },
    ],
    ['with a time stamp that is none', recordSample({ timestamp: 'yesterday' }), { at: T0 + 77 }],
  ])('%s', (_, record, expected) => {
    expect(outcomeOfRecord(JSON.parse(JSON.stringify(record)), T0 + 77)).toMatchObject(expected);
  });

  it('of an event that was too old needs no response', () => {
    const { responseContext: _context, responsePayload: _payload, ...rest } = recordSample(context('EventAgeExceeded'));
    expect(outcomeOfRecord(rest, T0).class).toBe('throttled');
  });

  it.each([
    [null],
    [{}],
    ['x'],
    [{ ...recordSample(), requestPayload: { payload: 1 } }],
    [{ ...recordSample(), version: '2.0' }],
    [recordSample({ requestPayload: envelopeSample({ fence: 0 }) })],
  ])('that is none of ours is refused: %o', (body) => {
    expect(() => outcomeOfRecord(body, T0)).toThrow();
  });
});
