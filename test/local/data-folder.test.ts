import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { CfnOutput, CustomResource, Duration } from 'aws-cdk-lib';
import { AttributeType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Bucket } from 'aws-cdk-lib/aws-s3';
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
): Promise<{
  env: Record<string, string>;
  outputs: Record<string, string>;
  ids: string[];
  kill(): Promise<void>;
  killAtOnce(): Promise<void>;
}> {
  const script = `
    import { startHost } from ${JSON.stringify(new URL('../../local/host.ts', import.meta.url).href)};
    const host = await startHost({
      assembly: ${JSON.stringify(assembly)},
      dataDir: ${JSON.stringify(dataDir)},
      onLog: ({ message }) => message.startsWith('pid ') && console.log(message),
    });
    console.log(JSON.stringify({ env: host.clientEnv(), outputs: host.outputs, ids: ['Tasks', 'Waiting'].map((name) => host.physicalId(name)) }));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const started = JSON.parse(await eventually(() => lines[0])) as {
    env: Record<string, string>;
    outputs: Record<string, string>;
    ids: string[];
  };
  return {
    ...started,
    async killAtOnce() {
      child.kill('SIGKILL');
      await ended;
    },
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

/** Answers with what no second run would answer. */
const COUNTING = `
exports.handler = (event) => new Promise((resolve, reject) => {
  console.log('made');
  const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'thing', Data: { Made: String(process.pid) + Date.now() } });
  const { hostname, port, pathname } = new URL(event.ResponseURL);
  require('http').request({ hostname, port, path: pathname, method: 'PUT' }, resolve).on('error', reject).end(body);
})`;

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

  it('keeps each message of a queue in its state, objects, schedules and custom resources when the host is killed', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const assembly = synthesise((stack) => {
      const dead = new Queue(stack, 'Dead');
      const queue = new Queue(stack, 'Waiting', { deadLetterQueue: { queue: dead, maxReceiveCount: 2 } });
      const bucket = new Bucket(stack, 'Bucket');
      const fn = inlineFunction(stack, 'custom', COUNTING);
      const thing = new CustomResource(stack, 'Thing', { serviceToken: fn.functionArn, properties: { value: 1 } });
      for (const [id, value] of Object.entries({
        Queue: queue.queueUrl,
        DeadQueue: dead.queueUrl,
        Objects: bucket.bucketName,
        Made: thing.getAttString('Made'),
      })) {
        new CfnOutput(stack, id, { value });
      }
    });
    const first = await startApart(assembly, dataDir);
    const endpoint = (service: string) => clientConfig(first.env[`AWS_ENDPOINT_URL_${service}`]!);
    const sqs = using(new SQSClient(endpoint('SQS')));
    const s3 = using(new S3Client({ ...endpoint('S3'), forcePathStyle: true }));
    const { Queue: QueueUrl, DeadQueue, Objects, Made } = first.outputs;
    const send = (...bodies: string[]) =>
      sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries: bodies.map((body, n) => ({ Id: String(n), MessageBody: body })) }));
    const receive = async (url = QueueUrl, visibilitySeconds = 600) => {
      const { Messages: [message] = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: url, VisibilityTimeout: visibilitySeconds, MessageSystemAttributeNames: ['All'] }),
      );
      return message;
    };
    // One goes to the dead letters, by its third receive; one is in flight for long, one for a moment.
    await send('dead');
    for (let time = 0; time < 3; time += 1) await receive(QueueUrl, 0);
    await send('in flight');
    const inFlight = await receive();
    await send('soon back');
    await receive(QueueUrl, 3);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'delayed', DelaySeconds: 4 }));
    const delayedUntil = Date.now() + 4000;
    await s3.send(new PutObjectCommand({ Bucket: Objects, Key: 'a/b', Body: 'bytes', ContentType: 'text/x' }));
    const scheduled = await fetch(`${first.env['AWS_ENDPOINT_URL_SCHEDULER']}/schedules/once`, {
      method: 'POST',
      body: JSON.stringify({
        ScheduleExpression: `at(${new Date(Date.now() + 1000).toISOString().slice(0, 19)})`,
        FlexibleTimeWindow: { Mode: 'OFF' },
        ActionAfterCompletion: 'DELETE',
        Target: {
          Arn: `arn:aws:sqs:us-east-1:000000000000:${QueueUrl?.split('/').at(-1)}`,
          RoleArn: 'arn:aws:iam::000000000000:role/r',
          Input: 'fired',
        },
      }),
    });
    expect(scheduled.status).toBe(200);
    await first.killAtOnce();

    const second = await run(assembly, { dataDir });
    expect(second.outputs['Made']).toBe(Made);
    expect(second.logs.filter(({ message }) => message === 'made')).toEqual([]);
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    expect(Number(Attributes?.ApproximateNumberOfMessagesNotVisible)).toBeGreaterThanOrEqual(1);
    expect(await receive(DeadQueue)).toMatchObject({ Body: 'dead' });
    const object = await s3.send(new GetObjectCommand({ Bucket: Objects, Key: 'a/b' }));
    expect([await object.Body?.transformToString(), object.ContentType]).toEqual(['bytes', 'text/x']);
    const bodies = new Set<string | undefined>();
    await eventually(async () => {
      const message = await receive();
      if (message === undefined) return false;
      if (message.Body === 'delayed') expect(Date.now()).toBeGreaterThanOrEqual(delayedUntil - 50);
      bodies.add(message.Body);
      return bodies.size === 3;
    });
    // What was in flight stays so: its receipt is still good, in the time that it was given.
    expect(bodies).toEqual(new Set(['soon back', 'delayed', 'fired']));
    await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: inFlight?.ReceiptHandle, VisibilityTimeout: 0 }));
    const again = await eventually(() => receive());
    expect(again).toMatchObject({ Body: 'in flight', Attributes: { ApproximateReceiveCount: '2' } });
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: again.ReceiptHandle }));
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
