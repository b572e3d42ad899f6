import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { PGlite } from '@electric-sql/pglite';
import { runTask } from '@sluice/handler';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SCHEMA, takeFromStock } from '../../examples/idempotency/sql.ts';
import { startDynamoDb } from '../../local/servers/dynamodb.ts';
import { startSqsAndS3 } from '../../local/servers/sqs-s3.ts';

const failed = (error: Error): never => {
  throw error;
};
const closers: (() => Promise<void>)[] = [];
let attempt = 0;
/** A task that no other test has had. */
const uid = (): string => `01JZ00000000000000000000${String(++attempt).padStart(2, '0')}`;

beforeAll(() => {
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('PAYMENTS_TABLE', 'payments');
  vi.stubEnv('INVOICES_BUCKET', 'invoices');
});
afterAll(async () => {
  for (const close of closers) await close();
  vi.unstubAllEnvs();
});

describe('the DynamoDB example', () => {
  let table: DynamoDBDocumentClient;
  let run: (ctx: { uid: string; fence: number }, cents?: number) => Promise<unknown>;
  beforeAll(async () => {
    const server = await startDynamoDb({}, failed);
    closers.push(() => server.close());
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', server.url);
    table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
    await table.send(
      new CreateTableCommand({
        TableName: 'payments',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'payment', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'payment', KeyType: 'HASH' }],
      }),
    );
    await waitUntilTableExists({ client: table, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName: 'payments' });
    const { handler } = await import('../../examples/idempotency/dynamodb.ts');
    run = (ctx, cents = 100) => runTask(handler, { account: 'ada', cents }, ctx);
  });
  const payments = async (key: string) => {
    const { Items = [] } = await table.send(new ScanCommand({ TableName: 'payments', ConsistentRead: true }));
    return Items.filter(({ payment }) => payment === key);
  };

  it('has one effect of an attempt that runs twice', async () => {
    const task = { uid: uid(), fence: 1 };
    expect(await run(task)).toEqual(await run(task));
    expect(await payments(task.uid)).toEqual([{ payment: task.uid, account: 'ada', cents: 100, fence: 1, writes: 1 }]);
  });

  it('is not overwritten by an old fence that comes after a new one', async () => {
    const key = uid();
    await run({ uid: key, fence: 3 }, 300);
    await run({ uid: key, fence: 1 }, 100);
    expect(await payments(key)).toEqual([{ payment: key, account: 'ada', cents: 300, fence: 3, writes: 1 }]);
  });

  it('has one effect of two at once', async () => {
    const task = { uid: uid(), fence: 1 };
    await Promise.all([run(task), run(task)]);
    expect(await payments(task.uid)).toMatchObject([{ writes: 1 }]);
  });
});

describe('the S3 example', () => {
  let s3: S3Client;
  let run: (ctx: { uid: string; fence: number }, total?: number) => Promise<unknown>;
  beforeAll(async () => {
    const server = await startSqsAndS3({}, failed);
    closers.push(() => server.close());
    vi.stubEnv('AWS_ENDPOINT_URL_S3', server.url);
    s3 = new S3Client({});
    await s3.send(new CreateBucketCommand({ Bucket: 'invoices' }));
    const { handler } = await import('../../examples/idempotency/s3.ts');
    run = (ctx, total = 100) => runTask(handler, { order: '4711', total }, ctx);
  });
  const read = async (key: string): Promise<unknown> => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'invoices', Key: `invoices/4711/${key}.json` }));
    return JSON.parse((await Body?.transformToString()) ?? '');
  };

  it('has one effect of an attempt that runs twice', async () => {
    const task = { uid: uid(), fence: 1 };
    expect(await run(task, 100)).toEqual(await run(task, 200));
    expect(await read(task.uid)).toEqual({ order: '4711', total: 100, fence: 1 });
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'invoices', Prefix: `invoices/4711/${task.uid}` }));
    expect(Contents).toHaveLength(1);
  });

  it('is not overwritten by an old fence that comes after a new one, and is by a newer one', async () => {
    const key = uid();
    await run({ uid: key, fence: 3 }, 300);
    await run({ uid: key, fence: 1 }, 100);
    expect(await read(key)).toEqual({ order: '4711', total: 300, fence: 3 });
    await run({ uid: key, fence: 5 }, 500);
    expect(await read(key)).toEqual({ order: '4711', total: 500, fence: 5 });
  });

  it('has one effect of two at once: the other finds it, now or in its next attempt', async () => {
    const task = { uid: uid(), fence: 1 };
    const ends = await Promise.allSettled([run(task, 100), run(task, 200)]);
    const first = await read(task.uid);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ name: 'RetryableError' });
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    await run({ ...task }, 300);
    expect(await read(task.uid)).toEqual(first);
  });

  it('stands on writes that the server refuses when their condition is not met', async () => {
    const put = (Key: string, Body: string, condition: object) =>
      s3.send(new PutObjectCommand({ Bucket: 'invoices', Key, Body, ...condition }));
    const { ETag = '' } = await put('a', 'one', { IfNoneMatch: '*' });
    await expect(put('a', 'two', { IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await put('a', 'two', { IfMatch: ETag });
    await expect(put('a', 'three', { IfMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } });
    await expect(put('none', 'x', { IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
    const many = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => put('b', String(n), { IfNoneMatch: '*' })));
    expect(many.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('the SQL example', () => {
  let database: PGlite;
  beforeAll(async () => {
    database = await PGlite.create();
    closers.push(() => database.close());
    await database.exec(SCHEMA);
  });
  beforeEach(() => database.exec(`DELETE FROM stock; INSERT INTO stock VALUES ('bolt', 100)`));
  const run = (ctx: { uid: string; fence: number }, pieces = 10) =>
    database.transaction((transaction) => takeFromStock(transaction, ctx, 'bolt', pieces));
  const pieces = async () => (await database.query('SELECT pieces FROM stock')).rows;

  it('has one effect of an attempt that runs twice', async () => {
    const task = { uid: uid(), fence: 1 };
    expect(await run(task)).toEqual({ item: 'bolt', taken: 10 });
    expect(await run(task)).toEqual({ item: 'bolt', taken: 10 });
    expect(await pieces()).toEqual([{ pieces: 90 }]);
  });

  it('has one effect of an old fence that comes after a new one', async () => {
    const key = uid();
    await run({ uid: key, fence: 3 }, 30);
    expect(await run({ uid: key, fence: 1 }, 10)).toEqual({ item: 'bolt', taken: 30 });
    expect(await pieces()).toEqual([{ pieces: 70 }]);
  });

  it('has one effect of two at once', async () => {
    const task = { uid: uid(), fence: 1 };
    await Promise.all([run(task), run(task)]);
    expect(await pieces()).toEqual([{ pieces: 90 }]);
  });

  it('has none of a transaction that is rolled back', async () => {
    const task = { uid: uid(), fence: 1 };
    const crash = database.transaction(async (transaction) => {
      await takeFromStock(transaction, task, 'bolt', 10);
      throw new Error('the process died');
    });
    await expect(crash).rejects.toThrow('died');
    expect(await pieces()).toEqual([{ pieces: 100 }]);
    await run(task);
    expect(await pieces()).toEqual([{ pieces: 90 }]);
  });
});
