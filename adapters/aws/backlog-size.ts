import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { BacklogStore } from '../../core/ports/backlog-store.ts';
import { answerOf } from './answers.ts';
import { BACKLOG_RANKS, BACKLOG_SHARDS, backlogClassSort, backlogPartition, rankAndTimeOf, shardNumbers } from './keys.ts';

/** Hints of a partition that are read; what lies behind them is counted where it is. */
const READ = 100;

interface Shard {
  readonly partition: string;
  counted: number;
  /** The key that the count has come to; `undefined` once there is nothing behind it. */
  at: string | undefined;
}

interface Asked {
  readonly limit: number;
  /** The first class that counts. @default 0 */
  readonly rank?: number;
  /** The key to go on behind. */
  readonly after?: string;
  /** Only how many there are. */
  readonly countOnly?: boolean;
}

/** Counts backlogs. However long they are, some hundred keys are held, and no more is read than was asked for. */
export function createBacklogMeasure(client: DynamoDBDocumentClient, TableName: string): Pick<BacklogStore, 'measure'> {
  /** Half the price of a consistent read, and good enough to count. */
  const page = async (partition: string, { limit, rank = 0, after, countOnly = false }: Asked) => {
    const command = new QueryCommand({
      TableName,
      KeyConditionExpression: 'p = :p AND s >= :from',
      ExpressionAttributeValues: { ':p': partition, ':from': backlogClassSort(rank) },
      ...(countOnly ? { Select: 'COUNT' } : { ProjectionExpression: 's' }),
      ...(after !== undefined && { ExclusiveStartKey: { p: partition, s: after } }),
      Limit: limit,
    });
    const { Items = [], Count = 0, LastEvaluatedKey: last } = await answerOf('measure a backlog', client.send(command));
    return { found: Items.map((item) => rankAndTimeOf(String(item['s']))), count: Count, last: last && String(last['s']) };
  };

  /** The first hint of a class is its oldest: what the first page does not reach is one read of one item a class. */
  const begin = async (partition: string, limit: number): Promise<Shard & { readonly ats: readonly number[] }> => {
    const { found, last: at } = await page(partition, { limit });
    const seen = [...found];
    for (let last = seen.at(-1); at !== undefined && last && last.rank + 1 < BACKLOG_RANKS; last = seen.at(-1)) {
      const next = await page(partition, { limit: 1, rank: last.rank + 1 });
      if (next.found.length === 0) break;
      seen.push(...next.found);
    }
    return { partition, counted: found.length, at, ats: seen.map((each) => each.at) };
  };

  const goOn = async (shard: Shard, most: number): Promise<void> => {
    for (let left = most; left > 0 && shard.at !== undefined;) {
      const { count, last } = await page(shard.partition, { limit: left, after: shard.at, countOnly: true });
      left -= count;
      shard.counted += count;
      shard.at = last;
    }
  };

  return {
    measure: async (lane, atMost, from) => {
      // One more tells that there are more.
      const wanted = atMost + 1;
      const partitions = shardNumbers(BACKLOG_SHARDS).map((shard) => backlogPartition(lane, shard));
      const { before, at } = positionsOf(from);
      const begun =
        from === undefined
          ? await Promise.all(partitions.map((partition) => begin(partition, Math.min(READ, Math.ceil(wanted / BACKLOG_SHARDS)))))
          : undefined;
      const shards: readonly Shard[] = begun ?? partitions.map((partition, n) => ({ partition, counted: 0, at: at[n] }));
      const counted = (): number => shards.reduce((sum, shard) => sum + shard.counted, before);
      for (;;) {
        const open = shards.filter((shard) => shard.at !== undefined);
        const left = wanted - counted();
        if (left <= 0 || open.length === 0) break;
        // Those that end sooner leave the others more to count.
        await Promise.all(open.map((shard) => goOn(shard, Math.ceil(left / open.length))));
      }
      const count = Math.min(counted(), atMost);
      const more = counted() > atMost;
      const ats = begun?.flatMap((shard) => shard.ats) ?? [];
      const oldestAt = ats.length === 0 ? undefined : ats.reduce((a, b) => Math.min(a, b));
      return { count, more, oldestAt, ...(more && { next: nextOf(counted() - count, shards) }) };
    },
  };
}

/** What was counted before and not told, then the key in each partition; no key has the sign between them. */
function nextOf(over: number, shards: readonly Shard[]): string {
  return [over, ...shards.map(({ at = '' }) => at)].join('|');
}

function positionsOf(from: string | undefined): { readonly before: number; readonly at: readonly (string | undefined)[] } {
  const [over = '0', ...at] = from?.split('|') ?? [];
  return { before: Number(over), at: at.map((key) => (key === '' ? undefined : key)) };
}
