import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { Duration } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { startHost } from '../../local/host.ts';
import {
  clientConfig,
  closeAll,
  eventually,
  inlineFunction,
  received,
  run,
  synthesise,
  temporaryFolder,
  using,
} from './support/harness.ts';

afterEach(closeAll);

/** Starts a host in a process of its own, which can be killed. */
async function startApart(
  assembly: string,
  dataDir: string,
): Promise<{ env: Record<string, string>; ids: string[]; kill(): Promise<void> }> {
  const script = `
    import { startHost } from ${JSON.stringify(new URL('../../local/host.ts', import.meta.url).href)};
    const host = await startHost({
      assembly: ${JSON.stringify(assembly)},
      dataDir: ${JSON.stringify(dataDir)},
      onLog: ({ message }) => message.startsWith('pid ') && console.log(message),
    });
    console.log(JSON.stringify({ env: host.clientEnv(), ids: ['Tasks', 'Waiting'].map((name) => host.physicalId(name)) }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const { env, ids } = JSON.parse(await eventually(() => lines[0])) as { env: Record<string, string>; ids: string[] };
  return {
    env,
    ids,
    async kill() {
      const pid = Number((await eventually(() => lines[1])).slice('pid '.length));
      child.kill('SIGKILL');
      // Its functions end with it.
      await eventually(() => !isAlive(pid));
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a data folder', () => {
  it('keeps items, messages and accepted events when the host is killed', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const assembly = (environment: Record<string, string>) =>
      synthesise((stack) => {
        new Table(stack, 'Tasks', { partitionKey: { name: 'pk', type: AttributeType.STRING } });
        new Queue(stack, 'Waiting');
        const fn = inlineFunction(
          stack,
          'later',
          `exports.handler = () => new Promise((resolve) => { console.log('pid ' + process.pid); if (process.env.SECOND) resolve('ran'); })`,
          { timeout: Duration.seconds(60), environment },
        );
        fn.configureAsyncInvoke({ onSuccess: new SqsDestination(new Queue(stack, 'Done')) });
      });
    const first = await startApart(assembly({}), dataDir);
    const endpoint = (service: string) => clientConfig(first.env[`AWS_ENDPOINT_URL_${service}`]!);
    const [tableName, queueUrl] = first.ids;
    await using(new DynamoDBClient(endpoint('DYNAMODB'))).send(new PutItemCommand({ TableName: tableName!, Item: { pk: { S: 'kept' } } }));
    await using(new SQSClient(endpoint('SQS'))).send(new SendMessageCommand({ QueueUrl: queueUrl!, MessageBody: '"kept"' }));
    const { $metadata } = await using(new LambdaClient(endpoint('LAMBDA'))).send(
      new InvokeCommand({ FunctionName: 'later', InvocationType: 'Event' }),
    );
    await first.kill();

    const second = await run(assembly({ SECOND: '1' }), { dataDir });
    // The addresses stay, so that kept URLs are still good.
    expect(second.clientEnv()).toEqual(first.env);
    const dynamodb = using(new DynamoDBClient(clientConfig(second.endpoints.dynamodb)));
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: tableName!, Key: { pk: { S: 'kept' } } }));
    expect(Item).toEqual({ pk: { S: 'kept' } });
    expect(await received(second, queueUrl!)).toBe('kept');
    expect(await received(second, second.physicalId('Done')!)).toMatchObject({
      requestContext: { requestId: $metadata.requestId, condition: 'Success' },
      responsePayload: 'ran',
    });
  });

  it('that another host has open is refused', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const assembly = synthesise((stack) => void new Queue(stack, 'Q'));
    await run(assembly, { dataDir });
    await expect(startHost({ assembly, dataDir })).rejects.toMatchObject({
      code: 'DATA_IN_USE',
      message: expect.stringContaining(dataDir),
    });
  });
});
