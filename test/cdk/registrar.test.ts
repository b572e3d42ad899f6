import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

const spec = {
  v: 1,
  type: 'thumbnail',
  handler: { kind: 'lambda', arn: 'arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:sluice' },
  start: 'event',
  timeoutSeconds: 30,
  concurrency: 10,
  retry: { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 900, factor: 2 },
  dedupWindowSeconds: 1_209_600,
};

interface Answer {
  Status: 'SUCCESS' | 'FAILED';
  Reason?: string;
  PhysicalResourceId: string;
  StackId: string;
  RequestId: string;
  LogicalResourceId: string;
  contentType: string | undefined;
}

/** The registrar as it is deployed, against a DynamoDB and with CloudFormation's side of the protocol over plain HTTP. */
describe('the registrar', () => {
  const answers: Answer[] = [];
  const database = dynalite({ createTableMs: 0 });
  const cloudFormation = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      expect(request.method).toBe('PUT');
      answers.push({ ...(JSON.parse(Buffer.concat(chunks).toString()) as Answer), contentType: request.headers['content-type'] });
      response.end();
    });
  });
  let client: DynamoDBDocumentClient;
  let handler: (event: CloudFormationCustomResourceEvent) => Promise<void>;

  beforeAll(async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', await listen(database));
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    vi.stubEnv('SLUICE_TABLE', 'tasks');
    vi.spyOn(console, 'error').mockImplementation(() => undefined);
    client = DynamoDBDocumentClient.from(new DynamoDBClient());
    await client.send(
      new CreateTableCommand({
        TableName: 'tasks',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'p', AttributeType: 'S' },
          { AttributeName: 's', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'p', KeyType: 'HASH' },
          { AttributeName: 's', KeyType: 'RANGE' },
        ],
      }),
    );
    responseUrl = `${await listen(cloudFormation)}/answer?signature=1`;
    ({ handler } = await import('../../functions/registrar/index.ts'));
  });
  afterAll(() => {
    database.close();
    cloudFormation.close();
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  let responseUrl = '';
  let requests = 0;
  /** Sends an event and answers with what CloudFormation was told. */
  async function send(event: {
    RequestType: 'Create' | 'Update' | 'Delete';
    Spec?: unknown;
    PhysicalResourceId?: string;
    LogicalResourceId?: string;
  }): Promise<Answer> {
    const { Spec, ...rest } = event;
    await handler({
      LogicalResourceId: 'Thumbnail',
      StackId: 'stack-1',
      RequestId: `request-${++requests}`,
      ResponseURL: responseUrl,
      ServiceToken: 'arn',
      ResourceType: 'Custom::SluiceTaskType',
      ResourceProperties: { ServiceToken: 'arn', Spec },
      ...rest,
    } as CloudFormationCustomResourceEvent);
    return answers.pop() as Answer;
  }
  async function stored(type: string): Promise<Record<string, unknown> | undefined> {
    return (await client.send(new GetCommand({ TableName: 'tasks', Key: { p: 'Y', s: type } }))).Item;
  }

  it('writes the spec as JSON text and answers with the type as the physical id', async () => {
    const answer = await send({ RequestType: 'Create', Spec: JSON.stringify(spec) });

    expect(answer).toEqual({
      Status: 'SUCCESS',
      PhysicalResourceId: 'thumbnail',
      StackId: 'stack-1',
      RequestId: `request-${requests}`,
      LogicalResourceId: 'Thumbnail',
      contentType: undefined,
    });
    expect(await stored('thumbnail')).toEqual({
      p: 'Y',
      s: 'thumbnail',
      v: 1,
      spec: JSON.stringify(spec),
      owner: 'stack-1/Thumbnail',
    });
  });

  it('writes the new type of a renamed one, and removes the old when CloudFormation deletes it', async () => {
    await send({ RequestType: 'Create', Spec: JSON.stringify(spec) });

    const renamed = JSON.stringify({ ...spec, type: 'preview' });
    const update = await send({ RequestType: 'Update', PhysicalResourceId: 'thumbnail', Spec: renamed });
    expect(update.PhysicalResourceId).toBe('preview');
    expect(await stored('thumbnail')).toBeDefined();

    // CloudFormation may send the properties of either version with the delete; the physical id is what counts.
    await send({ RequestType: 'Delete', PhysicalResourceId: 'thumbnail', Spec: renamed });
    expect(await stored('thumbnail')).toBeUndefined();
    expect(await stored('preview')).toBeDefined();
  });

  it('keeps a type that another resource has taken over when the old one is deleted', async () => {
    await send({ RequestType: 'Create', Spec: JSON.stringify(spec) });
    await send({ RequestType: 'Create', Spec: JSON.stringify(spec), LogicalResourceId: 'Moved' });

    const answer = await send({ RequestType: 'Delete', PhysicalResourceId: 'thumbnail' });
    expect(answer.Status).toBe('SUCCESS');
    expect(await stored('thumbnail')).toMatchObject({ owner: 'stack-1/Moved' });
  });

  it('deletes what is not there', async () => {
    expect(await send({ RequestType: 'Delete', PhysicalResourceId: 'nobody' })).toMatchObject({ Status: 'SUCCESS' });
  });

  it.each([
    ['is not valid', JSON.stringify({ ...spec, timeoutSeconds: 901 }), /timeoutSeconds/],
    ['is not JSON', '{', /JSON/],
    ['is missing', undefined, /needs the property Spec/],
  ])('answers FAILED with the reason when the spec %s, and its rollback deletes nothing', async (_, text, reason) => {
    await send({ RequestType: 'Create', Spec: JSON.stringify(spec) });

    const answer = await send({ RequestType: 'Create', Spec: text });
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(reason) });
    const rollback = await send({ RequestType: 'Delete', PhysicalResourceId: answer.PhysicalResourceId });
    expect(rollback.Status).toBe('SUCCESS');
    expect(await stored('thumbnail')).toBeDefined();
  });

  it('keeps the physical id when an update fails, so that nothing is deleted', async () => {
    const answer = await send({ RequestType: 'Update', PhysicalResourceId: 'thumbnail', Spec: '{}' });
    expect(answer).toMatchObject({ Status: 'FAILED', PhysicalResourceId: 'thumbnail' });
  });
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
