import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CfnEventInvokeConfig } from 'aws-cdk-lib/aws-lambda';
import { Duration } from 'aws-cdk-lib';
import { Alias, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clientConfig,
  inlineFunction,
  received,
  start,
  synthesise,
  temporaryFolder,
  type Parsed,
  type RunningHost,
} from './support/harness.ts';

let host: RunningHost;
let lambda: LambdaClient;
let outcomes: string;

const MISBEHAVE = `
let calls = 0;
exports.handler = async (event, context) => {
  calls += 1;
  switch (event.do) {
    case 'hang': return new Promise(() => {});
    case 'spin': for (;;) {}
    case 'exit': process.exit(event.status);
    case 'throw': { class PaymentDeclined extends Error { name = 'PaymentDeclined' } throw new PaymentDeclined('no funds'); }
    case 'throwText': throw 'text';
    case 'fill': { const kept = []; for (;;) kept.push(new Array(1000).fill({ a: kept.length })); }
    case 'reject': Promise.reject(new Error('forgotten')); return new Promise(() => {});
    case 'circular': { const loop = {}; loop.loop = loop; return loop; }
    case 'large': return 'x'.repeat(6_300_000);
    case 'nothing': return;
    case 'print': for (let i = 0; i < 100; i++) console.log('y'.repeat(1_000_000)); return 'printed';
    case 'context': return { ...context, remaining: context.getRemainingTimeInMillis() };
    case 'env': return process.env;
    default: console.log('called'); return { calls, event };
  }
};`;

beforeAll(async () => {
  const modules = join(temporaryFolder(), 'modules');
  mkdirSync(modules);
  writeFileSync(
    join(modules, 'index.mjs'),
    `import { SQSClient } from '@aws-sdk/client-sqs'; export const handler = async () => typeof SQSClient;`,
  );
  const assembly = synthesise((stack) => {
    const queue = new Queue(stack, 'Outcomes', { queueName: 'outcomes' });
    inlineFunction(stack, 'misbehave', MISBEHAVE, { timeout: Duration.seconds(1), environment: { OWN: 'mine' } });
    inlineFunction(stack, 'patient', MISBEHAVE, { timeout: Duration.seconds(30), memorySize: 128 });
    inlineFunction(stack, 'single', `exports.handler = () => new Promise((r) => setTimeout(r, 300, 'done'))`, {
      reservedConcurrentExecutions: 1,
    });
    inlineFunction(stack, 'off', MISBEHAVE, {
      reservedConcurrentExecutions: 0,
      onFailure: new SqsDestination(queue),
      maxEventAge: Duration.minutes(1),
    });
    inlineFunction(stack, 'broken', `throw new TypeError('broken at load')`);
    inlineFunction(stack, 'syntax', `exports.handler = async () => { return 1`);
    inlineFunction(stack, 'missing', `exports.other = async () => 1`);
    inlineFunction(stack, 'callback', `exports.handler = (event, context, done) => done(null, 'called back')`);
    const flaky = inlineFunction(
      stack,
      'flaky',
      `exports.handler = async (event) => { globalThis.n = (globalThis.n ?? 0) + 1; if (globalThis.n < event.succeedAt) throw new Error('attempt ' + globalThis.n); return globalThis.n; }`,
    );
    const destinations = { onSuccess: new SqsDestination(queue), onFailure: new SqsDestination(queue) };
    flaky.configureAsyncInvoke({ ...destinations, retryAttempts: 2 });
    const target = inlineFunction(stack, 'target', MISBEHAVE, { timeout: Duration.seconds(1) });
    const alias = new Alias(stack, 'Live', { aliasName: 'live', version: target.latestVersion });
    alias.configureAsyncInvoke({ ...destinations, retryAttempts: 0 });
    const busy = inlineFunction(stack, 'busy', `exports.handler = () => new Promise(() => {})`, {
      reservedConcurrentExecutions: 1,
      timeout: Duration.seconds(60),
    });
    new CfnEventInvokeConfig(stack, 'BusyConfig', {
      functionName: busy.functionName,
      qualifier: '$LATEST',
      maximumEventAgeInSeconds: 1,
      destinationConfig: { onFailure: { destination: queue.queueArn } },
    });
    new LambdaFunction(stack, 'Modules', {
      functionName: 'modules',
      runtime: Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: Code.fromAsset(modules),
    });
  });
  host = await start(assembly, { asyncRetryDelaysMs: [10, 10], env: { EXTRA: 'given' } });
  lambda = new LambdaClient({ ...clientConfig(host.endpoints.lambda), maxAttempts: 1 });
  outcomes = host.physicalId('Outcomes')!;
});

afterAll(async () => {
  lambda?.destroy();
  await host?.close();
});

async function invoke(name: string, event: unknown = {}, type: 'RequestResponse' | 'Event' | 'DryRun' = 'RequestResponse') {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)), InvocationType: type }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  return { ...answer, body: JSON.parse(text === '' ? 'null' : text) as Parsed };
}

describe('a synchronous invocation', () => {
  it('runs in a warm environment again', async () => {
    const first = await invoke('misbehave', { n: 1 });
    const second = await invoke('misbehave', { n: 2 });
    expect(first).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST', body: { event: { n: 1 } } });
    expect(second.body.calls).toBe(first.body.calls + 1);
    expect(second.FunctionError).toBeUndefined();
  });

  it('takes and gives every character, those that end lines too', async () => {
    const text = 'a\n\r\u0085\u2028\u2029\0\ud83c\udf88';
    expect((await invoke('misbehave', { text })).body).toMatchObject({ event: { text } });
  });

  it('starts one environment for each request at a time', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => invoke('patient', {})));
    expect(answers.map((answer): unknown => answer.body.calls)).toEqual([1, 1, 1]);
  });

  it('takes a name, an ARN, and both with a qualifier', async () => {
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:target';
    for (const name of ['target', 'target:live', arn, `${arn}:live`, `${arn}:$LATEST`]) {
      expect((await invoke(name)).StatusCode).toBe(200);
    }
  });

  it('hands over a context and an environment like Lambda', async () => {
    const { body: context } = await invoke('misbehave', { do: 'context' });
    expect(context).toMatchObject({
      functionName: 'misbehave',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:misbehave',
      memoryLimitInMB: '128',
    });
    expect(context.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(context.remaining).toBeGreaterThan(0);
    expect(context.remaining).toBeLessThanOrEqual(1000);
    const { body: env } = await invoke('misbehave', { do: 'env' });
    expect(env).toMatchObject({
      OWN: 'mine',
      EXTRA: 'given',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'misbehave',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_ENDPOINT_URL_SQS: host.endpoints.sqs,
      _X_AMZN_TRACE_ID: expect.stringContaining('Root=1-'),
    });
  });

  it('answers null for a handler that returns nothing', async () => {
    expect((await invoke('misbehave', { do: 'nothing' })).body).toBeNull();
  });

  it.each([
    ['an async hang', { do: 'hang' }, 'Sandbox.Timedout', /Task timed out after 1\.00 seconds/],
    ['a busy loop', { do: 'spin' }, 'Sandbox.Timedout', /Task timed out after 1\.00 seconds/],
    ['an exit', { do: 'exit', status: 7 }, 'Runtime.ExitError', /exit status 7/],
    ['an exit with 0', { do: 'exit', status: 0 }, 'Runtime.ExitError', /without providing a reason/],
    ['an error of its own class', { do: 'throw' }, 'PaymentDeclined', /no funds/],
    ['a thrown text', { do: 'throwText' }, 'string', /text/],
    ['an unhandled rejection', { do: 'reject' }, 'Runtime.UnhandledPromiseRejection', /forgotten/],
    ['a result that is no JSON', { do: 'circular' }, 'Error', /Unable to stringify/],
    ['a result over 6 MB', { do: 'large' }, 'Function.ResponseSizeTooLarge', /exceeded maximum/],
  ])('reports %s, and the function works again', async (_what, event, errorType, message) => {
    const answer = await invoke('misbehave', event);
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', body: { errorType } });
    expect(answer.body.errorMessage).toMatch(message);
    expect((await invoke('misbehave')).FunctionError).toBeUndefined();
  });

  it('ends only the environment that runs out of memory', async () => {
    const answer = await invoke('patient', { do: 'fill' });
    expect(answer.body).toMatchObject({ errorType: 'Runtime.OutOfMemory' });
    expect((await invoke('patient')).FunctionError).toBeUndefined();
  });

  it.each([
    ['broken', 'TypeError', /broken at load/],
    ['syntax', 'Runtime.UserCodeSyntaxError', /SyntaxError/],
    ['missing', 'Runtime.HandlerNotFound', /index\.handler is undefined/],
  ])('reports code that cannot be loaded (%s)', async (name, errorType, message) => {
    const answer = await invoke(name);
    expect(answer).toMatchObject({ FunctionError: 'Unhandled', body: { errorType } });
    expect(answer.body.errorMessage).toMatch(message);
    await host.logged((entry) => entry.functionName === name && entry.level === 'error');
  });

  it('keeps what a function prints, within bounds', async () => {
    await invoke('misbehave', { n: 1 });
    await host.logged((entry) => entry.functionName === 'misbehave' && entry.stream === 'stdout' && entry.message === 'called');
    const { body, $metadata } = await invoke('misbehave', { do: 'print' });
    expect(body).toBe('printed');
    const printed = host.logs.filter((entry) => entry.requestId === $metadata.requestId);
    expect(printed.reduce((sum, entry) => sum + entry.message.length, 0)).toBeLessThan(1_200_000);
  });

  it('throttles at the reserved concurrency', async () => {
    const running = invoke('single');
    await expect(invoke('single')).rejects.toMatchObject({
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    });
    const told = /^throttled: Reserved.+, as (.+, )?1 single(, .+)? run$/;
    await host.logged((entry) => entry.level === 'warn' && entry.functionName === 'single' && told.test(entry.message));
    expect((await running).body).toBe('done');
    expect((await invoke('single')).body).toBe('done');
  });

  it('refuses unknown functions and requests that are too large', async () => {
    await expect(invoke('nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(invoke('target:nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(invoke('target', 'x'.repeat(6_300_000))).rejects.toMatchObject({ name: 'RequestTooLargeException' });
    await expect(invoke('target', 'x'.repeat(1_100_000), 'Event')).rejects.toMatchObject({ name: 'RequestTooLargeException' });
    expect((await invoke('target', {}, 'DryRun')).StatusCode).toBe(204);
  });

  it('runs ES modules with the SDK of the runtime, and callback handlers', async () => {
    expect((await invoke('modules')).body).toBe('function');
    expect((await invoke('callback')).body).toBe('called back');
  });
});

describe('an asynchronous invocation', () => {
  it('is retried and ends with a success record', async () => {
    const { StatusCode, $metadata } = await invoke('flaky', { succeedAt: 3 }, 'Event');
    expect(StatusCode).toBe(202);
    const record = await received(host, outcomes, (body) => body.requestContext.requestId === $metadata.requestId);
    expect(record).toMatchObject({
      version: '1.0',
      timestamp: expect.stringMatching(/Z$/),
      requestContext: {
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:flaky:$LATEST',
        condition: 'Success',
        approximateInvokeCount: 3,
      },
      requestPayload: { succeedAt: 3 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST' },
      responsePayload: 3,
    });
    expect(record.responseContext.functionError).toBeUndefined();
  });

  it('through an alias obeys the alias, and reports a crash', async () => {
    await invoke('target:live', { do: 'exit', status: 1 }, 'Event');
    expect(await received(host, outcomes)).toMatchObject({
      requestContext: {
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:target:live',
        condition: 'RetriesExhausted',
        approximateInvokeCount: 1,
      },
      requestPayload: { do: 'exit', status: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'Runtime.ExitError' },
    });
  });

  it('is given up when it grows too old behind a full function', async () => {
    await invoke('busy', { n: 1 }, 'Event');
    await invoke('busy', { n: 2 }, 'Event');
    const record = await received(host, outcomes);
    expect(record).toMatchObject({ requestContext: { condition: 'EventAgeExceeded' }, requestPayload: { n: 2 } });
    expect(record.responsePayload).toBeUndefined();
  });

  it('to a function without concurrency fails at once', async () => {
    await invoke('off', { n: 1 }, 'Event');
    expect(await received(host, outcomes)).toMatchObject({ requestContext: { condition: 'ZeroReservedConcurrency' } });
  });

  it('whose record is over 1 MiB is logged and lost', async () => {
    const { $metadata } = await invoke('target:live', { fat: 'x'.repeat(600_000) }, 'Event');
    await host.logged((entry) => entry.requestId === $metadata.requestId && entry.message.includes('not delivered'));
  });
});
