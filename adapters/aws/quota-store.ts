import { quotaRecordSchema, type QuotaRecord } from '@sluice/contracts';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { QuotaStore } from '../../core/ports/quota-store.ts';
import { answerOf, type Item } from './answers.ts';
import { quotaKey, quotaPartitions } from './keys.ts';
import { allPages } from './pages.ts';

/** Quotas in DynamoDB, one item a tenant. */
export function createQuotaStore(client: DynamoDBDocumentClient, config: { readonly table: string }): QuotaStore {
  const { table: TableName } = config;
  /** No name of a tenant is empty, and none comes before the empty text. */
  const partOf = (partition: string, limit: number, after = ''): Promise<readonly Item[]> =>
    allPages(
      'list quotas',
      (from) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: after === '' ? 'p = :p' : 'p = :p AND s > :after',
            ExpressionAttributeValues: { ':p': partition, ...(after !== '' && { ':after': after }) },
            ConsistentRead: true,
            Limit: limit,
            ExclusiveStartKey: from,
          }),
        ),
      limit,
    );
  return {
    get: async (tenant) => {
      const command = new GetCommand({ TableName, Key: quotaKey(tenant), ConsistentRead: true });
      const { Item: item } = await answerOf('read a quota', client.send(command));
      return item && recordOf(item);
    },
    put: async (tenant, { v, quota, updatedAt }) => {
      const command = new PutCommand({ TableName, Item: { ...quotaKey(tenant), v, quota: JSON.stringify(quota), at: updatedAt } });
      await answerOf('write a quota', client.send(command));
    },
    remove: async (tenant) => {
      await answerOf('remove a quota', client.send(new DeleteCommand({ TableName, Key: quotaKey(tenant) })));
    },
    list: async (limit, after) => {
      const parts = await Promise.all(quotaPartitions().map((partition) => partOf(partition, limit, after)));
      const records = parts.flat().map(recordOf);
      return records.sort((a, b) => (a.tenant < b.tenant ? -1 : 1)).slice(0, limit);
    },
  };
}

function recordOf({ s, v, quota, at }: Item): QuotaRecord {
  const parsed: unknown = JSON.parse(String(quota));
  return quotaRecordSchema.parse({ v, tenant: s, quota: parsed, updatedAt: at });
}
