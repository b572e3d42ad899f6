import { TABLE } from '@sluice/contracts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ListedTask, TaskList } from '../../core/ports/task-list.ts';
import { createPartReader, mergeParts, partLimit } from './day-parts.ts';
import { listPartitions, taskOfPartition } from './keys.ts';
import { createRowReader, type ReadRowsConfig } from './read-rows.ts';

/** The list of tasks in the index of DynamoDB: a tenant's day is {@link INDEX_SHARDS} partitions, read side by side. */
export function createTaskList(client: DynamoDBDocumentClient, config: ReadRowsConfig): TaskList {
  const readPart = createPartReader(client, {
    table: config.table,
    index: TABLE.listIndex,
    what: 'list tasks',
    entryOf: (item, uid): ListedTask => ({ id: taskOfPartition(String(item['p'])).id, uid }),
  });

  return {
    newest: async (tenant, day, range, limit) => {
      if (range.after >= range.before) return { tasks: [], exhausted: true };
      const partitions = listPartitions(tenant, day);
      const each = partLimit(limit, partitions.length);
      const parts = await Promise.all(partitions.map((partition) => readPart(partition, range, each)));
      return mergeParts(parts, limit, ({ uid }) => uid);
    },

    rows: createRowReader(client, config),
  };
}
