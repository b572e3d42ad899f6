import { afterAll, beforeAll } from 'vitest';
import { createQuotaStore } from '../../adapters/aws/quota-store.ts';
import { createMemoryQuotaStore } from '../../adapters/memory/quota-store.ts';
import { quotaStoreContract } from './quota-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

quotaStoreContract('memory', async () => createMemoryQuotaStore());
quotaStoreContract('DynamoDB', async () => createQuotaStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() }));
