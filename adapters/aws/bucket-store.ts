import { taskHintSchema, type TaskHint } from '@sluice/contracts';
import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { BucketStore } from '../../core/ports/bucket-store.ts';
import type { Random } from '../../core/ports/random.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { bucketPartition, cursorKey } from './keys.ts';
import { pagesOf } from './pages.ts';

/** Days that a bucket outlives its minute: so long may the movers stand still. */
const KEPT_DAYS = 30;

const NO_CURSOR = 'attribute_not_exists(p)';
/** The cursor is where the caller read it: of two movers that did the same minute, one goes on. */
const CURSOR_AT = '#minute = :from';

export interface BucketStoreConfig {
  readonly table: string;
  /** Parts of a minute; each takes 1,000 write units a second. @default 4 */
  readonly shards?: number;
  readonly random: Pick<Random, 'nonce'>;
  readonly telemetry: Telemetry;
}

/** Buckets in DynamoDB, each minute in `shards` partitions. */
export function createBucketStore(client: DynamoDBDocumentClient, config: BucketStoreConfig): BucketStore {
  const { table: TableName, random, telemetry } = config;

  const readCursor = async (shard: number): Promise<Item | undefined> => {
    const command = new GetCommand({ TableName, Key: cursorKey(shard), ConsistentRead: true });
    return (await answerOf('read a bucket cursor', client.send(command))).Item;
  };

  const hintOf = (item: Item): TaskHint[] => {
    try {
      return [taskHintSchema.parse(JSON.parse(String(item['hint'])))];
    } catch (error) {
      // One item that cannot be read must not stop its minute; the audit hints its tasks anew.
      telemetry.log('error', 'bucket hint that cannot be read', { bucket: item['p'], name: item['s'], error: String(error) });
      return [];
    }
  };

  return {
    shards: config.shards ?? 4,

    put: async (minute, shard, name, hint) => {
      const ttl = (minute + 1) * 60 + KEPT_DAYS * 86_400;
      const item = { p: bucketPartition(minute, shard), s: name, hint: JSON.stringify(hint), ttl };
      await answerOf('put into a bucket', client.send(new PutCommand({ TableName, Item: item })));
    },

    read: async function* (minute, shard) {
      const pages = pagesOf('read a bucket', (from) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'p = :p',
            ExpressionAttributeValues: { ':p': bucketPartition(minute, shard) },
            ConsistentRead: true,
            ExclusiveStartKey: from,
          }),
        ),
      );
      for await (const page of pages) if (page.length > 0) yield page.flatMap(hintOf);
    },

    cursor: async (shard) => {
      const item = await readCursor(shard);
      return item && Number(item['minute']);
    },

    advance: async (shard, from, to) => {
      const by = random.nonce();
      const command = new PutCommand({
        TableName,
        Item: { ...cursorKey(shard), minute: to, by },
        ...(from === undefined
          ? { ConditionExpression: NO_CURSOR }
          : {
              ConditionExpression: CURSOR_AT,
              ExpressionAttributeNames: { '#minute': 'minute' },
              ExpressionAttributeValues: { ':from': from },
            }),
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      const answer = await conditionalAnswerOf('move a bucket cursor', client.send(command));
      if (answer.met) return true;
      // The SDK repeats a call whose answer was lost: the repeat loses to the first, which carries the same nonce.
      const found = answer.found ?? (await readCursor(shard));
      return found?.['by'] === by;
    },
  };
}
