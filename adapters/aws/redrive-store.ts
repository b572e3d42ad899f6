import { redriveRecordSchema, type RedriveRecord } from '@sluice/contracts';
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { RedriveStore } from '../../core/ports/redrive-store.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { redriveKey, redrivePartition } from './keys.ts';

/** Days that a redrive is kept after its end. */
const KEPT_DAYS = 30;
const NOT_THERE = 'attribute_not_exists(p)';
/** The version that its writer has read: whoever lost looks again. */
const SAME_VERSION = '#version = :before';

/** Redrives in DynamoDB, those of a tenant in one partition. */
export function createRedriveStore(client: DynamoDBDocumentClient, config: { readonly table: string }): RedriveStore {
  const { table: TableName } = config;
  const put = async (record: RedriveRecord, condition: object): Promise<boolean> => {
    const command = new PutCommand({ TableName, Item: itemOf(record), ...condition });
    return (await conditionalAnswerOf('write a redrive', client.send(command))).met;
  };
  return {
    get: async (tenant, id) => {
      const command = new GetCommand({ TableName, Key: redriveKey(tenant, id), ConsistentRead: true });
      const { Item: item } = await answerOf('read a redrive', client.send(command));
      return item && redriveRecordSchema.parse(item);
    },
    insert: (record) => put(record, { ConditionExpression: NOT_THERE }),
    replace: (record) =>
      put(record, {
        ConditionExpression: SAME_VERSION,
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':before': record.version - 1 },
      }),
    list: async (tenant, limit, before) => {
      const records: RedriveRecord[] = [];
      let from: Item | undefined = before === undefined ? undefined : redriveKey(tenant, before);
      do {
        const command: QueryCommand = new QueryCommand({
          TableName,
          KeyConditionExpression: 'p = :p',
          ExpressionAttributeValues: { ':p': redrivePartition(tenant) },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: limit - records.length,
          ExclusiveStartKey: from,
        });
        const page = await answerOf('list redrives', client.send(command));
        records.push(...(page.Items ?? []).map((item) => redriveRecordSchema.parse(item)));
        from = page.LastEvaluatedKey;
      } while (from && records.length < limit);
      return records;
    },
  };
}

function itemOf(record: RedriveRecord): Item {
  const ttl = record.endedAt === undefined ? undefined : Math.ceil(record.endedAt / 1000) + KEPT_DAYS * 86_400;
  return { ...redriveKey(record.tenant, record.id), ...record, ...(ttl !== undefined && { ttl }) };
}
