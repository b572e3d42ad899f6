import { TABLE } from '@sluice/contracts';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DeadDay, DeadEntry, DeadList } from '../../core/ports/dead-list.ts';
import { FAILURE_KEY } from '../../core/tasks/failure-key.ts';
import { createPartReader, mergeParts, partLimit } from './day-parts.ts';
import { dayAndTypeOf, deadDaysPartition, deadDaySort, deadPartitions, taskOfPartition } from './keys.ts';
import { allPages } from './pages.ts';
import { createRowReader, type ReadRowsConfig } from './read-rows.ts';

const UID_LENGTH = 26;

/** The failed tasks in the sparse index of DynamoDB: each type's day is some partitions, read side by side. */
export function createDeadList(client: DynamoDBDocumentClient, config: ReadRowsConfig): DeadList {
  const { table: TableName } = config;

  const readerOf = (type: string) =>
    createPartReader(client, {
      table: TableName,
      index: TABLE.deadIndex,
      what: 'list failed tasks',
      entryOf: (item, key): DeadEntry | undefined =>
        // Keys of an earlier version have no time.
        FAILURE_KEY.test(key) ? { id: taskOfPartition(String(item['p'])).id, uid: key.slice(-UID_LENGTH), type, key } : undefined,
    });

  return {
    days: async (tenant, from, to) => {
      const items = await allPages('list days of failures', (start) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'p = :p AND s BETWEEN :from AND :to',
            // "~" is above every letter of a type's name.
            ExpressionAttributeValues: {
              ':p': deadDaysPartition(tenant),
              ':from': deadDaySort('', from),
              ':to': `${deadDaySort('', to)}~`,
            },
            ScanIndexForward: false,
            ConsistentRead: true,
            ExclusiveStartKey: start,
          }),
        ),
      );
      const days = new Map<number, string[]>();
      for (const item of items) {
        const { day, type } = dayAndTypeOf(String(item['s']));
        days.set(day, [...(days.get(day) ?? []), type]);
      }
      return [...days].map(([day, types]): DeadDay => ({ day, types: types.sort() }));
    },

    newest: async (tenant, { day, types }, range, limit) => {
      if (range.after >= range.before) return { tasks: [], exhausted: true };
      const readers = types.flatMap((type) => {
        const readPart = readerOf(type);
        return deadPartitions(tenant, type, day).map((partition) => (each: number) => readPart(partition, range, each));
      });
      const each = partLimit(limit, readers.length);
      return mergeParts(await Promise.all(readers.map((read) => read(each))), limit, ({ key }) => key);
    },

    rows: createRowReader(client, config),
  };
}
