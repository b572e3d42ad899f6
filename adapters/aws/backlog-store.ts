import { hintedTaskSchema, type HintedTask } from '@sluice/contracts';
import { DeleteCommand, GetCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { BacklogLane, BacklogStore } from '../../core/ports/backlog-store.ts';
import type { Lane, Place } from '../../core/ports/permit-store.ts';
import type { Random } from '../../core/ports/random.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { answerOf, conditionalAnswerOf, type Item, unavailable } from './answers.ts';
import { createBacklogMeasure } from './backlog-size.ts';
import { writeBatch } from './batch-write.ts';
import {
  BACKLOG_SHARDS,
  backlogKey,
  backlogPartition,
  backlogRange,
  LANE_SHARDS,
  laneListKey,
  laneListPartition,
  shardNumbers,
} from './keys.ts';
import { allPages } from './pages.ts';

/** Time goes on: this note is newer than the one that is there. */
const NOTED_BEFORE = 'attribute_not_exists(#at) OR #at < :now';
const STILL_NOTED = 'attribute_exists(#at)';
/** Nobody has noted the lane again since the list was read: its backlog was seen empty after that note. */
const NOT_RENEWED = '#at = :at';
const AT = { '#at': 'at' };

export interface BacklogStoreConfig {
  readonly table: string;
  readonly random: Pick<Random, 'fraction'>;
  readonly telemetry: Telemetry;
}

/** Backlogs in DynamoDB, each in {@link BACKLOG_SHARDS} partitions. */
export function createBacklogStore(client: DynamoDBDocumentClient, config: BacklogStoreConfig): BacklogStore {
  const { table: TableName, random, telemetry } = config;

  const query = (partition: string, limit?: number, range?: readonly [string, string]): Promise<readonly Item[]> =>
    allPages(
      'read a backlog',
      (from) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: range ? 'p = :p AND s BETWEEN :from AND :to' : 'p = :p',
            ExpressionAttributeValues: { ':p': partition, ...(range && { ':from': range[0], ':to': range[1] }) },
            ConsistentRead: true,
            Limit: limit,
            ExclusiveStartKey: from,
          }),
        ),
      limit,
    );

  const taskOf = (lane: Lane, item: Item): HintedTask[] => {
    const parsed = hintedTaskSchema.safeParse(item['hint']);
    if (parsed.success) return [parsed.data];
    // One item that cannot be read must not stop its lane; the audit hints its task anew.
    telemetry.log('error', 'backlog hint that cannot be read', { ...lane, key: item['s'], error: parsed.error.message });
    return [];
  };

  /** Notes of one lane never have the same time twice, so that {@link NOT_RENEWED} tells them apart. */
  const register = async (lane: Lane, now: number): Promise<void> => {
    const what = 'note a lane with a backlog';
    const Key = laneListKey(lane);
    for (let attempt = 0; attempt < 5; attempt++) {
      const noted = new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'SET #at = :now',
        ConditionExpression: NOTED_BEFORE,
        ExpressionAttributeNames: AT,
        ExpressionAttributeValues: { ':now': now },
      });
      if ((await conditionalAnswerOf(what, client.send(noted))).met) return;
      const renewed = new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'ADD #at :one',
        ConditionExpression: STILL_NOTED,
        ExpressionAttributeNames: AT,
        ExpressionAttributeValues: { ':one': 1 },
      });
      if ((await conditionalAnswerOf(what, client.send(renewed))).met) return;
    }
    throw unavailable(what, new Error('the note comes and goes'));
  };

  const isThere = async (lane: Lane, task: HintedTask, place: Place): Promise<boolean> => {
    const command = new GetCommand({
      TableName,
      Key: backlogKey(lane, task, place),
      ConsistentRead: true,
      ProjectionExpression: 'p',
    });
    return (await answerOf('look into a backlog', client.send(command))).Item !== undefined;
  };

  return {
    ...createBacklogMeasure(client, TableName),

    put: (lane, tasks, place) =>
      writeBatch(
        client,
        'put into a backlog',
        TableName,
        random,
        tasks.map((task) => ({ put: { ...backlogKey(lane, task, place), hint: task } })),
      ),

    first: async (lane, limit, place = 'permits', from = 'high') => {
      if (limit < 1) return [];
      const shards = shardNumbers(BACKLOG_SHARDS).map((shard) => query(backlogPartition(lane, shard), limit, backlogRange(place, from)));
      return (await Promise.all(shards))
        .flat()
        .sort((a, b) => (String(a['s']) < String(b['s']) ? -1 : 1))
        .slice(0, limit)
        .flatMap((item) => taskOf(lane, item));
    },

    remove: (lane, tasks, place) =>
      writeBatch(
        client,
        'remove from a backlog',
        TableName,
        random,
        tasks.map((task) => ({ remove: backlogKey(lane, task, place) })),
      ),

    has: async (lane, task) => (await isThere(lane, task, 'permits')) || (await isThere(lane, task, 'budget')),

    register,

    lanes: async () => {
      const shards = shardNumbers(LANE_SHARDS).map((shard) => query(laneListPartition(shard)));
      return (await Promise.all(shards)).flat().map((item): BacklogLane => {
        const [tenant = '', type = ''] = String(item['s']).split('#');
        return { lane: { tenant, type }, at: Number(item['at']) };
      });
    },

    unregister: async ({ lane, at }) => {
      const command = new DeleteCommand({
        TableName,
        Key: laneListKey(lane),
        ConditionExpression: NOT_RENEWED,
        ExpressionAttributeNames: AT,
        ExpressionAttributeValues: { ':at': at },
      });
      await conditionalAnswerOf('forget a lane', client.send(command));
    },
  };
}
