import { TABLE } from '@sluice/contracts';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ListedTask, TaskList, UidRange } from '../../core/ports/task-list.ts';
import { answerOf } from './answers.ts';
import { INDEX_SHARDS, listPartitions, taskOfPartition } from './keys.ts';
import { createRowReader, type ReadRowsConfig } from './read-rows.ts';

const { name: IndexName, partitionKey, sortKey } = TABLE.listIndex;

/** A part of a day: its newest tasks in the range. */
interface Part {
  readonly tasks: readonly ListedTask[];
  /** The uid down to which it was read; `undefined` when it was read to its end. */
  readonly readTo: string | undefined;
}

/** The list of tasks in the index of DynamoDB: a tenant's day is {@link INDEX_SHARDS} partitions, read side by side. */
export function createTaskList(client: DynamoDBDocumentClient, config: ReadRowsConfig): TaskList {
  const { table: TableName } = config;

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

    rows: createRowReader(client, config),
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
