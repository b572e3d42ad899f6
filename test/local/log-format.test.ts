import { describe, expect, it } from 'vitest';
import { createLogFormat, problemOf } from '../../bin/dev/log-format.ts';
import { Problems } from '../../bin/dev/problems.ts';
import type { HostLogEntry } from '../../local/host.ts';

/** Of this machine's time zone, as the log's times are. */
const TIME = new Date(2026, 2, 4, 16, 3, 4, 123).getTime();

const options = {
  verbose: false,
  colour: false,
  isPlatform: (name: string) => name.startsWith('sluice-'),
  titleOf: (name: string) => (name === 'Stack-Work1234' ? 'Work' : name),
};
const output = (functionName: string, message: unknown, stream: 'stdout' | 'stderr' = 'stdout'): HostLogEntry => {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  return { time: TIME, level: 'info', source: 'lambda', functionName, stream, message: text };
};
/** As Powertools writes it. */
const line = (level: string, message: string, fields: Record<string, unknown>) => ({
  level,
  message,
  timestamp: '2026-03-04T16:03:04.123Z',
  service: 'sluice-dispatch',
  cold_start: true,
  function_arn: 'arn:aws:lambda:us-east-1:000000000000:function:sluice-dispatch',
  function_memory_size: '512',
  function_name: 'sluice-dispatch',
  function_request_id: 'a-b-c',
  sampling_rate: 0,
  xray_trace_id: '1-2-3',
  ...fields,
});
const step = (name: string, fields: Record<string, unknown> = {}, task = { tenant: 'acme', task: 'order-4711', type: 'thumbnail' }) =>
  output('sluice-dispatch', line('DEBUG', 'task', { step: name, ...task, uid: '01ABC', fence: 1, ...fields }));

describe('a step of a task', () => {
  it.each([
    ['started', { attempt: 1, mode: 'event' }, 'acme     thumbnail  order-4711   started  attempt 1 (fence 1)'],
    ['accepted', {}, 'acme     thumbnail  order-4711   accepted'],
    ['accepted', { notBefore: TIME + 3_600_000 }, 'acme     thumbnail  order-4711   accepted due in 60 min'],
    ['succeeded', {}, 'acme     thumbnail  order-4711   succeeded'],
    [
      'retrying',
      { again: new Date(TIME + 1500).toISOString(), error: 'no photo' },
      'acme     thumbnail  order-4711   retrying again in 1.5 s, no photo',
    ],
    ['failed', { reason: 'fatal', error: 'no photo' }, 'acme     thumbnail  order-4711   failed   fatal: no photo'],
    ['refused', { code: 'id_conflict', reason: 'taken' }, 'acme     thumbnail  order-4711   refused  id_conflict: taken'],
    ['late success', {}, 'acme     thumbnail  order-4711   late success'],
    ['something new', { with: 'a field', n: 2 }, 'acme     thumbnail  order-4711   something new with="a field" n=2'],
  ])('is one line: %s %j', (name, fields, expected) => {
    expect(createLogFormat(options)(step(name, fields))).toEqual([`16:03:04.123 ${expected}`]);
  });

  it('stands in columns that grow with what has come, up to a bound', () => {
    const format = createLogFormat(options);
    const lines = ['a', 'a-much-longer-id-than-usual', 'a', 'x'.repeat(100)].flatMap((task) =>
      format(step('parked', {}, { tenant: 't', task, type: 'y' })),
    );
    const columns = lines.map((text) => text.indexOf('parked'));
    expect(columns[0]).toBeLessThan(columns[1]!);
    expect(columns[2]).toBe(columns[1]);
    expect(format(step('parked', {}, { tenant: 't', task: 'a', type: 'y' }))[0]!.length).toBeLessThan(80);
  });

  it('has a colour by what it is, where colours are wanted', () => {
    const [started, failed] = ['started', 'failed'].map((name) => createLogFormat({ ...options, colour: true })(step(name))[0]!);
    expect(started).toContain('\u001b[34mstarted');
    expect(failed).toContain('\u001b[31mfailed');
    expect(createLogFormat(options)(step('failed'))[0]).not.toContain('\u001b');
  });

  it('cannot command the terminal', () => {
    const [text] = createLogFormat(options)(step('failed', { error: 'a\u001b[2Jb\r\nc\u009bd' }));
    expect(text).toContain('a\\x1b[2Jb\\x0d\\x0ac\\x9bd');
  });
});

describe('what a function prints', () => {
  it('is shown of the platform from a warning on, and all of it when verbose', () => {
    const entries = [
      output('sluice-dispatch', line('INFO', 'all is well', { n: 1 })),
      output(
        'sluice-dispatch',
        line('WARN', 'type record cannot be read', {
          type: 't',
          error: { name: 'Error', message: 'bad', stack: 'Error: bad\n    at x (a.ts:1:2)' },
        }),
      ),
      output('sluice-dispatch', { _aws: { Timestamp: 1 }, tasks: 1 }),
      output('sluice-dispatch', '(node:1) Warning: old', 'stderr'),
    ];
    expect(entries.flatMap(createLogFormat(options))).toEqual([
      '16:03:04.123 warn  sluice-dispatch type record cannot be read type=t error="Error: bad"',
      '    at x (a.ts:1:2)',
      '16:03:04.123 info  sluice-dispatch (node:1) Warning: old',
    ]);
    expect(createLogFormat({ ...options, verbose: true })(entries[0]!)).toEqual(['16:03:04.123 info  sluice-dispatch all is well n=1']);
  });

  it('is shown of a handler always: text as it is, and the kit’s lines beside the task’s steps', () => {
    const format = createLogFormat(options);
    expect(format(output('Stack-Work1234', 'one\n\ntwo {"not": json\n'))).toEqual([
      '16:03:04.123 info  Work one',
      '16:03:04.123 info  Work two {"not": json',
    ]);
    const identity = { task: 'order-4711', tenant: 'acme', uid: '01ABC', type: 'thumbnail', attempt: 1, fence: 1 };
    expect(format(output('Stack-Work1234', { level: 'info', time: 'x', message: 'greeting', name: 'Ada L.', ...identity }))).toEqual([
      '16:03:04.123 acme     thumbnail  order-4711   info     greeting name="Ada L."',
    ]);
    // Its message may be the word that steps go by.
    expect(format(output('Stack-Work1234', { message: 'task', step: 'started' }))).toEqual(['16:03:04.123 info  Work task step=started']);
  });

  it('keeps its own colours where colours are wanted', () => {
    const entry = output('Stack-Work1234', '\u001b[32mgreen\u001b[39m \u001b[2Jcleared');
    expect(createLogFormat({ ...options, colour: true })(entry)[0]).toContain('\u001b[32mgreen\u001b[39m \\x1b[2Jcleared');
    expect(createLogFormat(options)(entry)[0]).toContain('\\x1b[32mgreen');
  });
});

describe('what the host says', () => {
  const failure = {
    errorType: 'FatalError',
    errorMessage: 'no attempt\ncan succeed',
    trace: [
      'FatalError: no attempt',
      'can succeed',
      '    at run (/p/examples/unruly/handler.ts:60:13)',
      '    at run (file:///p/local/lambda/node-runtime.mjs:75:26)',
      '    at x (node:events:1:1)',
    ],
  };
  const failed: HostLogEntry = {
    time: TIME,
    level: 'error',
    source: 'lambda',
    functionName: 'Stack-Work1234',
    message: JSON.stringify(failure),
  };

  it('of a failed run is its error and where in the handler it was', () => {
    expect(createLogFormat(options)(failed)).toEqual([
      '16:03:04.123 error Work FatalError: no attempt',
      '    can succeed',
      '    at run (/p/examples/unruly/handler.ts:60:13)',
    ]);
  });

  it('of inspectors, of itself, and of calls when verbose is a line each', () => {
    const entry = (rest: Partial<HostLogEntry>): HostLogEntry => ({ time: TIME, level: 'info', source: 'http-api', message: '', ...rest });
    const entries = [
      entry({ source: 'inspector', functionName: 'Stack-Work1234', message: 'ws://127.0.0.1:9230/x' }),
      entry({ source: 'sqs', level: 'warn', message: 'Receiving failed' }),
      entry({ level: 'debug', message: 'POST /v1/tasks 201 12 ms' }),
      entry({ source: 'lambda', level: 'debug', functionName: 'sluice-submit', message: 'ran 9 ms, cold start, 40 MB' }),
    ];
    const shown = ['16:03:04.123 info  Work inspector at ws://127.0.0.1:9230/x', '16:03:04.123 warn  sqs Receiving failed'];
    expect(entries.flatMap(createLogFormat(options))).toEqual(shown);
    expect(entries.flatMap(createLogFormat({ ...options, verbose: true }))).toEqual([
      ...shown,
      '16:03:04.123 debug http-api POST /v1/tasks 201 12 ms',
      '16:03:04.123 debug sluice-submit ran 9 ms, cold start, 40 MB',
    ]);
  });

  it('of what went wrong is kept, the newest first and the oldest forgotten', () => {
    expect(problemOf(step('failed'))).toBeUndefined();
    expect(problemOf(output('sluice-api', 'text'))).toBeUndefined();
    const problems = new Problems(options.titleOf);
    problems.note(failed);
    problems.note(output('sluice-api', line('ERROR', 'the invocation failed', { tenant: 'acme' })));
    problems.note(output('sluice-api', line('INFO', 'fine', {})));
    expect(problems.list()).toEqual([
      { at: TIME, from: 'sluice-api', text: 'the invocation failed tenant=acme' },
      { at: TIME, from: 'Work', text: 'FatalError: no attempt' },
    ]);
    for (let n = 0; n < 50; n += 1) problems.note({ time: TIME, level: 'warn', source: 'sqs', message: `${n} ${'x'.repeat(1000)}` });
    expect(problems.list()).toHaveLength(20);
    expect(problems.list()[0]?.text).toMatch(/^49 x{497}$/);
  });
});
