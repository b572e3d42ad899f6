import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClients, freshTraces } from '../../../adapters/aws/clients.ts';
import { clientsAt, startStandIn, type StandIn } from '../../contract/servers.ts';

const TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:15';

let service: StandIn;
let answer: () => { status: number; body: string } | undefined = () => ({ status: 200, body: '{}' });
beforeAll(async () => {
  service = await startStandIn(() => answer());
});
afterAll(() => service.stop());

const clients = () => {
  const { endpoint } = service;
  return clientsAt({
    dynamodbEndpoint: endpoint,
    sqsEndpoint: endpoint,
    lambdaEndpoint: endpoint,
    s3Endpoint: endpoint,
    eventsEndpoint: endpoint,
  });
};

describe('inside of a traced invocation', () => {
  beforeEach(() => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'dispatch';
    process.env['_X_AMZN_TRACE_ID'] = TRACE;
  });
  afterEach(() => {
    delete process.env['AWS_LAMBDA_FUNCTION_NAME'];
    delete process.env['_X_AMZN_TRACE_ID'];
  });

  const traceOfLast = (): unknown => service.heard.at(-1)?.headers['x-amzn-trace-id'];

  it('the SDK on its own hands the trace on, which is what must not happen', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const sqs = new SQSClient({ endpoint: service.endpoint, region: 'us-east-1', credentials, md5: false });
    await sqs.send(new SendMessageCommand({ QueueUrl: `${service.endpoint}/1/q`, MessageBody: 'x' }));
    expect(traceOfLast()).toBe(TRACE);
  });

  it('none of our clients does', async () => {
    const { dynamodb, sqs, lambda, s3, events } = clients();
    const before = service.heard.length;
    const calls = [
      () => dynamodb.send(new PutCommand({ TableName: 't', Item: { p: 'p' } })),
      () => sqs.send(new SendMessageCommand({ QueueUrl: `${service.endpoint}/1/q`, MessageBody: 'x' })),
      () => lambda.send(new InvokeCommand({ FunctionName: 'f' })),
      () => s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })),
      () => events.send(new PutEventsCommand({ Entries: [] })),
    ];
    for (const [n, call] of calls.entries()) {
      // A stand-in's answer may make no sense to a client; what counts is what was sent.
      await call().catch(() => {});
      expect(service.heard.length).toBeGreaterThan(before + n);
      expect(traceOfLast()).toBeUndefined();
    }
  });
});

describe('the clients', () => {
  it('are made once, when they are first used', () => {
    const made = createClients({ region: 'us-east-1' });
    expect(made.sqs).toBe(made.sqs);
    expect(Object.keys(made).sort()).toEqual(['dynamodb', 'events', 'lambda', 's3', 'sqs']);
  });

  it('refuse an SDK that they could not keep from forwarding traces', () => {
    expect(() => freshTraces({ middlewareStack: { remove: () => false } })).toThrow('recursionDetectionMiddleware');
  });

  it('try a call of DynamoDB again, and never one of Lambda', async () => {
    answer = () => ({ status: 500, body: '{}' });
    const { dynamodb, lambda } = clients();
    const before = service.heard.length;
    await expect(dynamodb.send(new PutCommand({ TableName: 't', Item: { p: 'p' } }))).rejects.toThrow();
    expect(service.heard.length - before).toBe(3);
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'f' }))).rejects.toThrow();
    expect(service.heard.length - before).toBe(4);
    answer = () => ({ status: 200, body: '{}' });
  });

  it('send a queue’s calls to their endpoint, wherever its URL leads', async () => {
    const before = service.heard.length;
    const command = new SendMessageCommand({ QueueUrl: 'http://nowhere.invalid/1/q', MessageBody: 'x' });
    await clients()
      .sqs.send(command)
      .catch(() => {});
    expect(service.heard.length - before).toBe(1);
  });
});
