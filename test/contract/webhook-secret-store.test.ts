import { afterAll, beforeAll } from 'vitest';
import { createWebhookSecretStore } from '../../adapters/aws/webhook-secret-store.ts';
import { createMemoryWebhookSecretStore } from '../../adapters/memory/webhook-secret-store.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { webhookSecretStoreContract } from './webhook-secret-store.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

webhookSecretStoreContract('memory', async () => createMemoryWebhookSecretStore());
webhookSecretStoreContract('DynamoDB', async () => createWebhookSecretStore(dynamo.clients.dynamodb, { table: await dynamo.newTable() }));
