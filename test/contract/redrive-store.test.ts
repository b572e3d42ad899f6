import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { redriveKey } from '../../adapters/aws/keys.ts';
import { createRedriveStore } from '../../adapters/aws/redrive-store.ts';
import { createMemoryRedriveStore } from '../../adapters/memory/redrive-store.ts';
import { A, NOW } from './fixtures.ts';
import { makeRedrive, redriveStoreContract } from './redrive-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

redriveStoreContract('memory', async () => createMemoryRedriveStore());
redriveStoreContract('DynamoDB', async () => createRedriveStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() }));

it('one that has ended is kept for 30 days, one that has not for ever', async () => {
  const table = await dynamo.newTable();
  const store = createRedriveStore(dynamo.clients.dynamodb, { table });
  const record = makeRedrive();
  const ttl = async (): Promise<unknown> =>
    (await dynamo.clients.dynamodb.send(new GetCommand({ TableName: table, Key: redriveKey(A, record.id) }))).Item?.['ttl'];
  await store.insert(record);
  expect(await ttl()).toBeUndefined();
  await store.replace({ ...record, version: 1, state: 'done', endedAt: NOW });
  expect(await ttl()).toBe(NOW / 1000 + 30 * 86_400);
});
