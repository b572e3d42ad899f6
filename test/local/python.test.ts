import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { Duration } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientConfig, start, synthesise, temporaryFolder, type Parsed, type RunningHost } from './support/harness.ts';

let host: RunningHost;
let lambda: LambdaClient;

beforeAll(async () => {
  const python = join(temporaryFolder(), 'python');
  mkdirSync(python);
  writeFileSync(
    join(python, 'app.py'),
    [
      'import os, sys, time',
      'calls = 0',
      'class Declined(Exception):',
      '    pass',
      'def handler(event, context):',
      '    global calls',
      '    calls += 1',
      "    print('from python')",
      "    what = event.get('do')",
      "    if what == 'hang': time.sleep(60)",
      "    if what == 'exit': os._exit(3)",
      "    if what == 'throw': raise Declined('no funds')",
      "    if what == 'set': return {1, 2}",
      "    if what == 'env': return {'region': os.environ['AWS_REGION'], 'sqs': os.environ['AWS_ENDPOINT_URL_SQS']}",
      "    return {'calls': calls, 'name': context.function_name, 'left': context.get_remaining_time_in_millis()}",
    ].join('\n'),
  );
  const assembly = synthesise((stack) => {
    new LambdaFunction(stack, 'Python', {
      functionName: 'python',
      runtime: Runtime.PYTHON_3_13,
      handler: 'app.handler',
      code: Code.fromAsset(python),
      timeout: Duration.seconds(2),
    });
  });
  host = await start(assembly);
  lambda = new LambdaClient({ ...clientConfig(host.endpoints.lambda), maxAttempts: 1 });
});

afterAll(async () => {
  lambda?.destroy();
  await host?.close();
});

async function invoke(name: string, event: unknown = {}) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) }));
  return { ...answer, body: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as Parsed };
}

describe('a Python function', () => {
  it('keeps its process, sees the services, and prints to the log', async () => {
    const first = await invoke('python');
    expect(first.body).toMatchObject({ calls: 1, name: 'python' });
    expect((await invoke('python')).body.calls).toBe(2);
    expect((await invoke('python', { do: 'env' })).body).toEqual({ region: 'us-east-1', sqs: host.endpoints.sqs });
    await host.logged((entry) => entry.functionName === 'python' && entry.message === 'from python');
  });

  it.each([
    [{ do: 'throw' }, 'Declined', /no funds/],
    [{ do: 'set' }, 'Runtime.MarshalError', /Unable to marshal/],
    [{ do: 'exit' }, 'Runtime.ExitError', /exit status 3/],
    [{ do: 'hang' }, 'Sandbox.Timedout', /timed out after 2\.00/],
  ])('reports %o like Lambda', async (event, errorType, message) => {
    const answer = await invoke('python', event);
    expect(answer).toMatchObject({ FunctionError: 'Unhandled', body: { errorType } });
    expect(answer.body.errorMessage).toMatch(message);
    expect((await invoke('python')).FunctionError).toBeUndefined();
  });
});
