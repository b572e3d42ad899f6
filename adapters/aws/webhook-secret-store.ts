import { webhookSecretsRecordSchema } from '@sluice/contracts';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { WebhookSecretStore } from '../../core/ports/webhook-secret-store.ts';
import { answerOf, conditionalAnswerOf } from './answers.ts';
import { webhookSecretsKey } from './keys.ts';

/** Nobody has written since the record was read that the new one follows. */
const FOLLOWS = 'version = :before';
const NO_RECORD = 'attribute_not_exists(p)';

/** Secrets of webhooks in DynamoDB, one item a tenant. */
export function createWebhookSecretStore(client: DynamoDBDocumentClient, config: { readonly table: string }): WebhookSecretStore {
  const { table: TableName } = config;
  return {
    get: async (tenant) => {
      const command = new GetCommand({ TableName, Key: webhookSecretsKey(tenant), ConsistentRead: true });
      const { Item: item } = await answerOf('read webhook secrets', client.send(command));
      return item && webhookSecretsRecordSchema.parse({ ...item, tenant });
    },
    put: async (tenant, { v, version, secrets }) => {
      const command = new PutCommand({
        TableName,
        Item: { ...webhookSecretsKey(tenant), v, version, secrets },
        ...(version === 1
          ? { ConditionExpression: NO_RECORD }
          : { ConditionExpression: FOLLOWS, ExpressionAttributeValues: { ':before': version - 1 } }),
      });
      return (await conditionalAnswerOf('write webhook secrets', client.send(command))).met;
    },
  };
}
