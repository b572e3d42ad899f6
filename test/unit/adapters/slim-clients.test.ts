import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as eventbridge from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as s3 from '@aws-sdk/client-s3';
import * as sqs from '@aws-sdk/client-sqs';
import * as documents from '@aws-sdk/lib-dynamodb';
import * as presigner from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import * as slimDynamodb from '../../../adapters/aws/slim/client-dynamodb.ts';
import * as slimEventbridge from '../../../adapters/aws/slim/client-eventbridge.ts';
import * as slimLambda from '../../../adapters/aws/slim/client-lambda.ts';
import * as slimS3 from '../../../adapters/aws/slim/client-s3.ts';
import * as slimSqs from '../../../adapters/aws/slim/client-sqs.ts';
import * as slimDocuments from '../../../adapters/aws/slim/lib-dynamodb.ts';
import * as slimPresigner from '../../../adapters/aws/slim/s3-request-presigner.ts';
import { SLIM_PACKAGES } from '../../../lib/functions/bundle.ts';
import { startStandIn, type Heard, type StandIn } from '../../contract/servers.ts';
import { signatureOf } from './sigv4.ts';

const SECRET = 'secret';
const PAIRS: Record<(typeof SLIM_PACKAGES)[number], { readonly sdk: object; readonly slim: object }> = {
  'client-dynamodb': { sdk: dynamodb, slim: slimDynamodb },
  'client-eventbridge': { sdk: eventbridge, slim: slimEventbridge },
  'client-lambda': { sdk: lambda, slim: slimLambda },
  'client-s3': { sdk: s3, slim: slimS3 },
  'client-sqs': { sdk: sqs, slim: slimSqs },
  'lib-dynamodb': { sdk: documents, slim: slimDocuments },
  's3-request-presigner': { sdk: presigner, slim: slimPresigner },
};

interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

let reply: Reply = { status: 200, body: '{}' };
let service: StandIn;
beforeAll(async () => {
  service = await startStandIn(() => reply);
});
afterAll(() => service.stop());
afterEach(() => {
  vi.unstubAllEnvs();
  reply = { status: 200, body: '{}' };
});

const config = (more: object = {}) => ({
  region: 'eu-west-1',
  credentials: { accessKeyId: 'AKID', secretAccessKey: SECRET, sessionToken: 'a+b/c=' },
  endpoint: service.endpoint,
  forcePathStyle: true,
  useQueueUrlAsEndpoint: false,
  md5: false,
  ...more,
});

type AnyClient = { readonly send: (command: never) => Promise<object> };
type Construct = Record<string, new (input: object) => object>;

/** The client of each service, and the commands that it takes. */
const SERVICES: Record<string, { readonly client: string; readonly from: keyof typeof PAIRS; readonly commands: keyof typeof PAIRS }> = {
  dynamodb: { client: 'DynamoDBClient', from: 'client-dynamodb', commands: 'lib-dynamodb' },
  sqs: { client: 'SQSClient', from: 'client-sqs', commands: 'client-sqs' },
  events: { client: 'EventBridgeClient', from: 'client-eventbridge', commands: 'client-eventbridge' },
  lambda: { client: 'LambdaClient', from: 'client-lambda', commands: 'client-lambda' },
  s3: { client: 'S3Client', from: 'client-s3', commands: 'client-s3' },
};

interface Told {
  readonly heard: readonly Heard[];
  readonly output: Record<string, unknown>;
  readonly error: (Error & { readonly $metadata?: { httpStatusCode?: number }; readonly Item?: unknown }) | undefined;
}

/** What one side sends for a command, and makes of the answer. */
async function tell(side: 'sdk' | 'slim', name: string, command: string, input: object, more: object = {}): Promise<Told> {
  const { client, from, commands } = SERVICES[name] ?? { client: '', from: 'client-s3', commands: 'client-s3' };
  const plain = new ((PAIRS[from][side] as Construct)[client] as new (config: object) => AnyClient)(config(more));
  const sender =
    name === 'dynamodb'
      ? (PAIRS['lib-dynamodb'][side] as typeof documents).DynamoDBDocumentClient.from(plain as never, {
          marshallOptions: { removeUndefinedValues: true },
        })
      : plain;
  const before = service.heard.length;
  const told = { output: {}, error: undefined };
  try {
    const sent = await sender.send(new ((PAIRS[commands][side] as Construct)[command] as Construct[string])(input) as never);
    const { $metadata: _, ...output } = sent as Record<string, unknown>;
    Object.assign(told, { output });
  } catch (error) {
    Object.assign(told, { error });
  }
  return { ...told, heard: service.heard.slice(before) };
}

const both = async (name: string, command: string, input: object, more: object = {}): Promise<[Told, Told]> => [
  await tell('sdk', name, command, input, more),
  await tell('slim', name, command, input, more),
];

const KEY = { p: 'T#acme#x', s: 'H' };
const ITEM = { ...KEY, n: 1.5, yes: true, none: null, list: [1, 'two', { three: 3 }], map: { deep: { er: '“”' } }, left: undefined };
const SENT: [service: string, command: string, input: object][] = [
  ['dynamodb', 'GetCommand', { TableName: 't', Key: KEY, ConsistentRead: true, ProjectionExpression: 'p' }],
  [
    'dynamodb',
    'PutCommand',
    { TableName: 't', Item: ITEM, ConditionExpression: 'a = :a', ExpressionAttributeValues: { ':a': { b: [1] } } },
  ],
  ['dynamodb', 'UpdateCommand', { TableName: 't', Key: KEY, UpdateExpression: 'SET #a = :a', ExpressionAttributeValues: { ':a': ITEM } }],
  ['dynamodb', 'DeleteCommand', { TableName: 't', Key: KEY, ExpressionAttributeNames: { '#o': 'owner' }, ReturnValues: 'ALL_OLD' }],
  [
    'dynamodb',
    'QueryCommand',
    { TableName: 't', IndexName: 'list', ExclusiveStartKey: KEY, ExpressionAttributeValues: { ':p': 'x' }, Limit: 3 },
  ],
  ['dynamodb', 'ScanCommand', { TableName: 't', Segment: 1, TotalSegments: 4, ExclusiveStartKey: KEY }],
  ['dynamodb', 'BatchGetCommand', { RequestItems: { Items: { Keys: [KEY, { p: 'y' }], ConsistentRead: true } } }],
  ['dynamodb', 'BatchWriteCommand', { RequestItems: { Key: [{ PutRequest: { Item: ITEM } }, { DeleteRequest: { Key: KEY } }] } }],
  [
    'sqs',
    'SendMessageBatchCommand',
    { QueueUrl: 'https://sqs/1/q', Entries: [{ Id: '0', MessageBody: '“x”', DelaySeconds: 9, MessageGroupId: 'acme' }] },
  ],
  ['sqs', 'ReceiveMessageCommand', { QueueUrl: 'https://sqs/1/q', MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }],
  ['sqs', 'DeleteMessageBatchCommand', { QueueUrl: 'https://sqs/1/q', Entries: [{ Id: '0', ReceiptHandle: 'r' }] }],
  ['sqs', 'ChangeMessageVisibilityCommand', { QueueUrl: 'https://sqs/1/q', ReceiptHandle: 'r', VisibilityTimeout: 0 }],
  [
    'events',
    'PutEventsCommand',
    { Entries: [{ EventBusName: 'b', Source: 's', DetailType: 'd', Detail: '{}', Time: new Date(1777626000123) }] },
  ],
  [
    'lambda',
    'InvokeCommand',
    { FunctionName: 'arn:aws:lambda:eu-west-1:1:function:f:live', InvocationType: 'Event', Payload: Buffer.from('{"a":"“"}') },
  ],
  ['s3', 'GetObjectCommand', { Bucket: 'b', Key: "short/acme/a%3Ab (1)'*!/x.json" }],
  ['s3', 'PutObjectCommand', { Bucket: 'b', Key: 'short/acme/a%3Ab/x.json', Body: '{"a":"“"}', ContentType: 'application/json' }],
];

describe('the stand-ins for the SDK’s clients', () => {
  it('stand for packages that the SDK has, by names that it exports', () => {
    expect(Object.keys(PAIRS).sort()).toEqual([...SLIM_PACKAGES].sort());
    for (const { sdk, slim } of Object.values(PAIRS)) expect(Object.keys(sdk)).toEqual(expect.arrayContaining(Object.keys(slim)));
  });

  it.each(SENT)('send to %s, for a %s, what the SDK sends', async (name, command, input) => {
    const [sdk, slim] = await both(name, command, input);
    expect(slim.error).toEqual(sdk.error);
    const said = ({ heard }: Told) =>
      heard.map(({ method, path, body, headers }) => ({
        method,
        path: path.replace(/\?x-id=.*$/, ''),
        body: body === '' ? '' : (JSON.parse(body) as unknown),
        ...Object.fromEntries(['host', 'content-type', 'x-amz-target', 'x-amz-invocation-type'].map((each) => [each, headers[each]])),
        scope: signatureOf({ method, path, headers, body }, SECRET).scope,
      }));
    expect(said(slim)).toEqual(said(sdk));
  });

  it.each(SENT)('sign for %s, in a %s, what they send', async (name, command, input) => {
    const { heard } = await tell('slim', name, command, input);
    for (const request of heard) {
      const { given, wanted } = signatureOf(request, SECRET);
      expect(given).toBe(wanted);
      expect(request.headers['x-amz-security-token']).toBe('a+b/c=');
    }
    expect(heard).toHaveLength(1);
  });

  const stored = { p: { S: 'x' }, n: { N: '1.5' }, list: { L: [{ BOOL: true }, { NULL: true }, { M: { a: { S: '“' } } }] } };
  it.each([
    ['dynamodb', 'GetCommand', { TableName: 't', Key: KEY }, { Item: stored }],
    ['dynamodb', 'GetCommand', { TableName: 't', Key: KEY }, {}],
    ['dynamodb', 'UpdateCommand', { TableName: 't', Key: KEY }, { Attributes: stored }],
    ['dynamodb', 'QueryCommand', { TableName: 't' }, { Items: [stored, stored], Count: 2, LastEvaluatedKey: { p: { S: 'x' } } }],
    [
      'dynamodb',
      'BatchGetCommand',
      { RequestItems: {} },
      { Responses: { t: [stored] }, UnprocessedKeys: { t: { Keys: [{ p: { S: 'x' } }] } } },
    ],
    ['dynamodb', 'BatchWriteCommand', { RequestItems: {} }, { UnprocessedItems: { t: [{ PutRequest: { Item: stored } }] } }],
    [
      'sqs',
      'SendMessageBatchCommand',
      { QueueUrl: 'q' },
      { Successful: [{ Id: '0' }], Failed: [{ Id: '1', SenderFault: true, Code: 'c' }] },
    ],
    ['sqs', 'ReceiveMessageCommand', { QueueUrl: 'q' }, { Messages: [{ Body: '“', ReceiptHandle: 'r' }] }],
    ['events', 'PutEventsCommand', { Entries: [] }, { FailedEntryCount: 1, Entries: [{ ErrorCode: 'c' }, { EventId: 'e' }] }],
  ])('take an answer of %s to a %s as the SDK does: %j', async (name, command, input, answer) => {
    reply = { status: 200, body: JSON.stringify(answer) };
    const [sdk, slim] = await both(name, command, input);
    expect(slim.output).toEqual(sdk.output);
    expect(slim.error).toBeUndefined();
  });

  it('take what a function answered, and an object’s text', async () => {
    reply = { status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: '{"errorType":"“"}' };
    const [sdk, slim] = await both('lambda', 'InvokeCommand', { FunctionName: 'f', Payload: Buffer.from('{}') });
    for (const { output } of [sdk, slim]) {
      expect(output).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
      expect(Buffer.from(output['Payload'] as Uint8Array).toString()).toBe(reply.body);
    }
    const texts = (await both('s3', 'GetObjectCommand', { Bucket: 'b', Key: 'k' })).map(({ output }) =>
      (output['Body'] as { transformToString: () => Promise<string> }).transformToString(),
    );
    expect(await Promise.all(texts)).toEqual([reply.body, reply.body]);
  });

  const LOST = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
  it.each<[string, string, object, Reply]>([
    [
      'dynamodb',
      'PutCommand',
      { TableName: 't', Item: KEY },
      { status: 400, body: JSON.stringify({ __type: LOST, message: 'no', Item: stored }) },
    ],
    ['dynamodb', 'GetCommand', { TableName: 't', Key: KEY }, { status: 400, body: '{"__type":"a#ValidationException","Message":"m"}' }],
    ['dynamodb', 'GetCommand', { TableName: 't', Key: KEY }, { status: 400, body: '{"__type":"a#ThrottlingException","message":"m"}' }],
    ['dynamodb', 'GetCommand', { TableName: 't', Key: KEY }, { status: 500, body: '{"__type":"a#InternalServerError","message":"m"}' }],
    [
      'sqs',
      'ReceiveMessageCommand',
      { QueueUrl: 'q' },
      {
        status: 400,
        headers: { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' },
        body: '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"}',
      },
    ],
    ['events', 'PutEventsCommand', { Entries: [] }, { status: 400, body: '{"__type":"AccessDeniedException","Message":"m"}' }],
    [
      'lambda',
      'InvokeCommand',
      { FunctionName: 'f', Payload: Buffer.from('{}') },
      { status: 404, headers: { 'x-amzn-errortype': 'ResourceNotFoundException:http://internal/' }, body: '{"Type":"User","Message":"m"}' },
    ],
    [
      's3',
      'GetObjectCommand',
      { Bucket: 'b', Key: 'k' },
      { status: 404, body: '<Error><Code>NoSuchKey</Code><Message>m</Message></Error>' },
    ],
    [
      's3',
      'GetObjectCommand',
      { Bucket: 'b', Key: 'k' },
      { status: 503, body: '<Error><Code>SlowDown</Code><Message>m</Message></Error>' },
    ],
  ])('take an error of %s as the SDK does, and try as often', async (name, command, input, answer) => {
    reply = answer;
    const [sdk, slim] = await both(name, command, input, { maxAttempts: 2 });
    const said = ({ error, heard }: Told) => ({
      name: error?.name,
      message: error?.message,
      status: error?.$metadata?.httpStatusCode,
      item: error?.Item,
      tries: heard.length,
    });
    expect(sdk.error).toBeInstanceOf(Error);
    expect(said(slim)).toEqual(said(sdk));
  });

  it('take an answer that is not the service’s for a failure of it, and try again', async () => {
    reply = { status: 503, body: '<html>busy</html>' };
    for (const [name, command, input] of [
      ['sqs', 'ReceiveMessageCommand', { QueueUrl: 'q' }],
      ['s3', 'GetObjectCommand', { Bucket: 'b', Key: 'k' }],
    ] as const) {
      const { error, heard } = await tell('slim', name, command, input);
      expect(error).toMatchObject({ name: 'UnknownError', message: 'status 503', $metadata: { httpStatusCode: 503 } });
      expect(heard).toHaveLength(3);
    }
  });

  it('try as often as they are told', async () => {
    reply = { status: 500, body: '{}' };
    expect(
      (await tell('slim', 'lambda', 'InvokeCommand', { FunctionName: 'f', Payload: Buffer.from('') }, { maxAttempts: 1 })).heard,
    ).toHaveLength(1);
  });

  it('end a call that is aborted, and do not try it again', async () => {
    const sender = new slimSqs.SQSClient(config());
    const before = service.heard.length;
    const abort = new AbortController();
    abort.abort();
    const call = sender.send(new slimSqs.ReceiveMessageCommand({ QueueUrl: 'q' }), { abortSignal: abort.signal });
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
    expect(service.heard.length).toBe(before);
  });

  it('carry no trace of the invocation that they are made in', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'dispatch');
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1');
    const [sdk, slim] = await both('sqs', 'ReceiveMessageCommand', { QueueUrl: 'q' });
    expect(sdk.heard[0]?.headers).toHaveProperty('x-amzn-trace-id');
    expect(slim.heard[0]?.headers).not.toHaveProperty('x-amzn-trace-id');
  });

  it('sign URLs of objects that need no more than that', async () => {
    const command = new slimS3.GetObjectCommand({ Bucket: 'b', Key: 'short/acme/a%3Ab/x.json' });
    const url = await slimPresigner.getSignedUrl(new slimS3.S3Client(config()), command, { expiresIn: 600 });
    expect(url).toContain('/b/short/acme/a%253Ab/x.json?');
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('600');
    await fetch(url);
    const { given, wanted, scope } = signatureOf(service.heard.at(-1) as Heard, SECRET);
    expect(given).toBe(wanted);
    expect(scope).toMatch(/^AKID\/\d{8}\/eu-west-1\/s3\/aws4_request$/);
  });
});
