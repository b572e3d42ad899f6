import { scheduleRecordSchema, type ScheduleRecord } from '@sluice/contracts';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { NotedSchedule, ScheduleStore } from '../../core/ports/schedule-store.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import {
  SCHEDULE_DIRECTORY_SHARDS,
  SCHEDULE_SHARDS,
  scheduleDirectory,
  scheduleEntryKey,
  scheduleKey,
  schedulePartition,
  scheduleSort,
  shardNumbers,
} from './keys.ts';
import { allPages } from './pages.ts';

const NO_SCHEDULE = 'attribute_not_exists(p)';
/** It is as the caller read it: of two writers one goes on. */
const SEQ_AS_READ = '#seq = :seq';
const SEQ = { '#seq': 'seq' };
/** The entry was not renewed since it was read: no schedule is on its way to it. */
const NOTED_AS_READ = '#at = :at';

export interface ScheduleStoreConfig {
  readonly table: string;
}

/** Schedules in DynamoDB, those of a tenant in {@link SCHEDULE_SHARDS} partitions. */
export function createScheduleStore(client: DynamoDBDocumentClient, config: ScheduleStoreConfig): ScheduleStore {
  const { table: TableName } = config;

  const read = async (tenant: string, name: string): Promise<ScheduleRecord | undefined> => {
    const command = new GetCommand({ TableName, Key: scheduleKey(tenant, name), ConsistentRead: true });
    const item = (await answerOf('read a schedule', client.send(command))).Item;
    return item && scheduleRecordSchema.parse(item);
  };

  const query = (p: string, after: string | undefined, limit: number | undefined, only?: string): Promise<readonly Item[]> =>
    allPages(
      'list schedules',
      (from) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: after === undefined ? 'p = :p' : 'p = :p AND s > :after',
            ExpressionAttributeValues: { ':p': p, ...(after !== undefined && { ':after': after }) },
            ConsistentRead: true,
            ...(only !== undefined && { ProjectionExpression: only }),
            ...(limit !== undefined && { Limit: limit }),
            ExclusiveStartKey: from,
          }),
        ),
      limit,
    );

  return {
    get: read,

    put: async (tenant, record, seq) => {
      const command = new PutCommand({
        TableName,
        Item: { ...scheduleKey(tenant, record.name), ...record, tenant },
        ...(seq === undefined
          ? { ConditionExpression: NO_SCHEDULE }
          : { ConditionExpression: SEQ_AS_READ, ExpressionAttributeNames: SEQ, ExpressionAttributeValues: { ':seq': seq } }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const answer = await conditionalAnswerOf('write a schedule', client.send(command));
      if (answer.met) return { applied: true, found: record };
      const found = answer.found ? scheduleRecordSchema.parse(answer.found) : await read(tenant, record.name);
      // The SDK repeats a call whose answer was lost: the repeat loses to the first, which carries the same nonce.
      return { applied: found?.by === record.by, found };
    },

    remove: async (tenant, name, seq) => {
      const command = new DeleteCommand({
        TableName,
        Key: scheduleKey(tenant, name),
        ConditionExpression: SEQ_AS_READ,
        ExpressionAttributeNames: SEQ,
        ExpressionAttributeValues: { ':seq': seq },
      });
      return (await conditionalAnswerOf('delete a schedule', client.send(command))).met;
    },

    list: async (tenant, after, limit) => {
      const from = after === undefined ? undefined : scheduleSort(after);
      const shards = await Promise.all(shardNumbers(SCHEDULE_SHARDS).map((n) => query(schedulePartition(tenant, n), from, limit)));
      return shards
        .flat()
        .map((item) => scheduleRecordSchema.parse(item))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(0, limit);
    },

    count: async (tenant, atMost) => {
      const shards = await Promise.all(
        shardNumbers(SCHEDULE_SHARDS).map((n) => query(schedulePartition(tenant, n), undefined, atMost, 's')),
      );
      return Math.min(atMost, shards.flat().length);
    },

    shards: SCHEDULE_DIRECTORY_SHARDS,

    note: async (tenant, name, at) => {
      const command = new PutCommand({ TableName, Item: { ...scheduleEntryKey(tenant, name), at } });
      await answerOf('note a schedule', client.send(command));
    },

    forget: async ({ tenant, name, at }) => {
      const command = new DeleteCommand({
        TableName,
        Key: scheduleEntryKey(tenant, name),
        ConditionExpression: NOTED_AS_READ,
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':at': at },
      });
      await conditionalAnswerOf('forget a schedule', client.send(command));
    },

    noted: async (shard) =>
      (await query(scheduleDirectory(shard), undefined, undefined)).map((item): NotedSchedule => {
        const [tenant = '', name = ''] = String(item['s']).split('#');
        return { tenant, name, at: Number(item['at']) };
      }),
  };
}
