import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { answerOf, type Item } from './answers.ts';

/** A part of a day: its newest entries in the range. */
export interface Part<Entry> {
  readonly entries: readonly Entry[];
  /** The key down to which it was read; `undefined` when it was read to its end. */
  readonly readTo: string | undefined;
}

/** `after` <= key < `before`, as text. */
export interface KeyRange {
  readonly after: string;
  readonly before: string;
}

export interface PartReaderConfig<Entry> {
  readonly table: string;
  readonly index: { readonly name: string; readonly partitionKey: string; readonly sortKey: string };
  /** What is done, for the error. */
  readonly what: string;
  readonly entryOf: (item: Item, key: string, partition: string) => Entry | undefined;
}

/** Reads one of the partitions, side by side, that a day of an index is spread over; the greatest keys first. */
export function createPartReader<Entry>(client: DynamoDBDocumentClient, config: PartReaderConfig<Entry>) {
  const { table: TableName, index, what, entryOf } = config;
  return async (partition: string, { after, before }: KeyRange, limit: number): Promise<Part<Entry>> => {
    const command = new QueryCommand({
      TableName,
      IndexName: index.name,
      // A sort key takes one condition, and BETWEEN takes in both its ends: `before` is left out below.
      KeyConditionExpression: '#p = :p AND #s BETWEEN :after AND :before',
      ExpressionAttributeNames: { '#p': index.partitionKey, '#s': index.sortKey },
      ExpressionAttributeValues: { ':p': partition, ':after': after, ':before': before },
      ScanIndexForward: false,
      Limit: limit + 1,
    });
    const page = await answerOf(what, client.send(command));
    const entries = (page.Items ?? []).flatMap((item) => {
      const key = String(item[index.sortKey]);
      return key === before ? [] : (entryOf(item, key, partition) ?? []);
    });
    return { entries, readTo: page.LastEvaluatedKey?.[index.sortKey] as string | undefined };
  };
}

/** Uids spread evenly over a day's parts, so that a part's share and a little more is mostly enough; else the page is shorter. */
export function partLimit(limit: number, parts: number): number {
  return Math.min(limit, Math.ceil(limit / parts + Math.sqrt(limit)));
}

/** Where one part was not read to its end, what the others hold below is not the next newest. */
export function mergeParts<Entry>(
  parts: readonly Part<Entry>[],
  limit: number,
  keyOf: (entry: Entry) => string,
): { tasks: readonly Entry[]; exhausted: boolean } {
  const readTo = parts.reduce((highest, part) => (part.readTo !== undefined && part.readTo > highest ? part.readTo : highest), '');
  const tasks = parts.flatMap((part) => part.entries.filter((entry) => keyOf(entry) >= readTo));
  tasks.sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
  return { tasks: tasks.slice(0, limit), exhausted: readTo === '' && tasks.length <= limit };
}
