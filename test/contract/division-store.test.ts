import { afterAll, beforeAll } from 'vitest';
import { createDivisionStore } from '../../adapters/aws/division-store.ts';
import { createMemoryDivisionStore } from '../../adapters/memory/division-store.ts';
import { divisionStoreContract } from './division-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

divisionStoreContract('memory', async () => createMemoryDivisionStore());
divisionStoreContract('DynamoDB', async () => createDivisionStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() }));
