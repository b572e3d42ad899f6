import { TABLE } from '@sluice/contracts';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { DeadDay, DeadEntry, DeadList, DeadPage, DeadRange } from '../../core/ports/dead-list.ts';
import { FAILURE_KEY } from '../../core/tasks/failure-key.ts';
import { answerOf } from './answers.ts';
import { dayAndTypeOf, deadDaysPartition, deadDaySort, deadPartitions, taskOfPartition } from './keys.ts';
import { allPages } from './pages.ts';
import { createRowReader, type ReadRowsConfig } from './read-rows.ts';

const { name: IndexName, partitionKey, sortKey } = TABLE.deadIndex;
const UID_LENGTH = 26;

/** A part of a day: its latest failures in the range. */
interface Part {
  readonly tasks: readonly DeadEntry[];
  /** The key down to which it was read; `undefined` when it was read to its end. */
  readonly readTo: string | undefined;
}

/** The failed tasks in the sparse index of DynamoDB: each type's day is some partitions, read side by side. */
export function createDeadList(client: DynamoDBDocumentClient, config: ReadRowsConfig): DeadList {
  const { table: TableName } = config;

  const readPart = async (type: string, partition: string, { after, before }: DeadRange, limit: number): Promise<Part> => {
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
    const page = await answerOf('list failed tasks', client.send(command));
    const tasks = (page.Items ?? []).map((item): DeadEntry => {
      const key = String(item[sortKey]);
      return { id: taskOfPartition(String(item['p'])).id, uid: key.slice(-UID_LENGTH), type, key };
    });
    const readTo = page.LastEvaluatedKey?.[sortKey] as string | undefined;
    // Keys of an earlier version have no time.
    return { tasks: tasks.filter(({ key }) => key !== before && FAILURE_KEY.test(key)), readTo };
  };

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
      const partitions = types.flatMap((type) => deadPartitions(tenant, type, day).map((partition) => ({ type, partition })));
      const each = partLimit(limit, partitions.length);
      return merged(await Promise.all(partitions.map(({ type, partition }) => readPart(type, partition, range, each))), limit);
    },

    rows: createRowReader(client, config),
  };
}

/** Uids spread evenly over a type's parts, so that a part's share and a little more is mostly enough; else the page is shorter. */
function partLimit(limit: number, parts: number): number {
  return Math.min(limit, Math.ceil(limit / parts + Math.sqrt(limit)));
}

/** Where one part was not read to its end, what the others hold below is not the next latest. */
function merged(parts: readonly Part[], limit: number): DeadPage {
  const readTo = parts.reduce((highest, part) => (part.readTo !== undefined && part.readTo > highest ? part.readTo : highest), '');
  const tasks = parts.flatMap((part) => part.tasks.filter(({ key }) => key >= readTo)).sort((a, b) => (a.key < b.key ? 1 : -1));
  return { tasks: tasks.slice(0, limit), exhausted: readTo === '' && tasks.length <= limit };
}
