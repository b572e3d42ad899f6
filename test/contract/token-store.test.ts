import { afterAll, beforeAll } from 'vitest';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { createMemoryTokenStore } from '../../adapters/memory/token-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { tokenStoreContract } from './token-store.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

tokenStoreContract('memory', async () => createMemoryTokenStore());
tokenStoreContract('DynamoDB', async () => createTokenStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() }));
