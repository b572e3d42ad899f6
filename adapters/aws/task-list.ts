import { TABLE, type TaskRow } from '@sluice/contracts';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Random } from '../../core/ports/random.ts';
import type { ListedTask, TaskList, UidRange } from '../../core/ports/task-list.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { answerOf } from './answers.ts';
import { readBatch } from './batch-get.ts';
import { INDEX_SHARDS, listPartitions, ROW_SORT, taskOfPartition, taskPartition } from './keys.ts';
import { rowOfItem } from './task-item.ts';

const { name: IndexName, partitionKey, sortKey } = TABLE.listIndex;

export interface TaskListConfig {
  readonly table: string;
  readonly random: Pick<Random, 'fraction'>;
  readonly telemetry: Telemetry;
}

/** A part of a day: its newest tasks in the range. */
interface Part {
  readonly tasks: readonly ListedTask[];
  /** The uid down to which it was read; `undefined` when it was read to its end. */
  readonly readTo: string | undefined;
}

/** The list of tasks in the index of DynamoDB: a tenant's day is {@link INDEX_SHARDS} partitions, read side by side. */
export function createTaskList(client: DynamoDBDocumentClient, config: TaskListConfig): TaskList {
  const { table: TableName, random, telemetry } = config;

  const readPart = async (partition: string, { after, before }: UidRange, limit: number): Promise<Part> => {
    const command = new QueryCommand({
      TableName,
      IndexName,
      // A sort key takes one condition, and BETWEEN takes in both its ends: `before` is left out below.
      KeyConditionExpression: '#p = :p AND #s BETWEEN :after AND :before',
      ExpressionAttributeNames: { '#p': partitionKey, '#s': sortKey },
      ExpressionAttributeValues: { ':p': partition, ':after': after, ':before': before },
      ScanIndexForward: false,
      Limit: limit + 1,
    });
    const page = await answerOf('list tasks', client.send(command));
    const readTo = page.LastEvaluatedKey?.[sortKey] as string | undefined;
    const tasks = (page.Items ?? []).map((item): ListedTask => {
      return { id: taskOfPartition(String(item['p'])).id, uid: String(item[sortKey]) };
    });
    return { tasks: tasks.filter(({ uid }) => uid !== before), readTo };
  };

  return {
    newest: async (tenant, day, range, limit) => {
      if (range.after >= range.before) return { tasks: [], exhausted: true };
      const partitions = listPartitions(tenant, day);
      const parts = await Promise.all(partitions.map((partition) => readPart(partition, range, partLimit(limit))));
      return merged(parts, limit);
    },

    rows: async (tenant, ids) => {
      const keys = [...new Set(ids)].map((id) => ({ p: taskPartition(tenant, id), s: ROW_SORT }));
      const items = await readBatch(client, 'read tasks', TableName, random, keys);
      return items.flatMap((item): TaskRow[] => {
        try {
          return [rowOfItem(item)];
        } catch (error) {
          // One row that cannot be read must not end the list of all others.
          telemetry.log('error', 'row that cannot be read', { key: item['p'], error: String(error) });
          return [];
        }
      });
    },
  };
}

/** Uids spread evenly, so that a part's share and a little more is mostly enough; where it is not, the page is shorter. */
function partLimit(limit: number): number {
  return Math.min(limit, Math.ceil(limit / INDEX_SHARDS + Math.sqrt(limit)));
}

/** Where one part was not read to its end, what the others hold below is not the next newest. */
function merged(parts: readonly Part[], limit: number): { tasks: readonly ListedTask[]; exhausted: boolean } {
  const readTo = parts.reduce((highest, part) => (part.readTo !== undefined && part.readTo > highest ? part.readTo : highest), '');
  const tasks = parts.flatMap((part) => part.tasks.filter(({ uid }) => uid >= readTo)).sort((a, b) => (a.uid < b.uid ? 1 : -1));
  return { tasks: tasks.slice(0, limit), exhausted: readTo === '' && tasks.length <= limit };
}
