import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBucketStore } from '../../adapters/aws/bucket-store.ts';
import { bucketPartition } from '../../adapters/aws/keys.ts';
import { createMemoryBucketStore } from '../../adapters/memory/bucket-store.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import { bucketStoreContract } from './bucket-store.ts';
import { makeHint } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const random = createMemoryRandom();
const make = async () => {
  const table = await dynamo.newTable();
  const telemetry = createMemoryTelemetry();
  return { table, telemetry, store: createBucketStore(dynamo.clients.dynamodb, { table, random, telemetry }) };
};

bucketStoreContract('memory', async () => createMemoryBucketStore({ pageSize: 5 }));
bucketStoreContract('DynamoDB', async () => (await make()).store);

describe('bucket store on DynamoDB', () => {
  it('lets an item expire 30 days after the end of its minute', async () => {
    const { store, table } = await make();
    await store.put(1000, 3, 'a', makeHint());
    const Key = { p: bucketPartition(1000, 3), s: 'a' };
    const { Item } = await dynamo.clients.dynamodb.send(new GetCommand({ TableName: table, Key }));
    expect(Item?.['ttl']).toBe(1001 * 60 + 30 * 86_400);
  });

  it('logs an item that cannot be read, and gives the others', async () => {
    const { store, table, telemetry } = await make();
    const broken = { p: bucketPartition(1000, 0), s: 'a', hint: '{' };
    await dynamo.clients.dynamodb.send(new PutCommand({ TableName: table, Item: broken }));
    await store.put(1000, 0, 'b', makeHint());
    const pages: unknown[] = [];
    for await (const page of store.read(1000, 0)) pages.push(...page);
    expect(pages).toHaveLength(1);
    expect(telemetry.lines()).toMatchObject([{ level: 'error', fields: { bucket: broken.p, name: 'a' } }]);
  });

  it('moved its cursor though the answer is lost on the wire', async () => {
    const { store } = await make();
    dynamo.loseNextAnswer();
    expect(await store.advance(0, undefined, 10)).toBe(true);
    dynamo.loseNextAnswer();
    expect(await store.advance(0, 10, 11)).toBe(true);
    expect(await store.advance(0, 10, 11)).toBe(false);
  });
});
