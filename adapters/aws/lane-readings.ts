import { PRIORITIES, type Priority } from '@sluice/contracts';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { BacklogSize } from '../../core/ports/backlog-store.ts';
import type { LaneReadings } from '../../core/ports/lane-readings.ts';
import type { Lane, Place } from '../../core/ports/permit-store.ts';
import type { Random } from '../../core/ports/random.ts';
import { readBatch } from './batch-get.ts';
import { BACKLOG_SHARDS, backlogPartition, backlogRange, cellKey, rankAndTimeOf, shardNumbers } from './keys.ts';
import { allPages } from './pages.ts';
import { cellOf } from './permit-cell.ts';

export interface LaneReadingsConfig {
  readonly table: string;
  readonly random: Pick<Random, 'fraction'>;
}

/** Lanes in DynamoDB, a hundred cells a call; a backlog is one query for each of its parts, classes and places. */
export function createLaneReadings(client: DynamoDBDocumentClient, config: LaneReadingsConfig): LaneReadings {
  const { table: TableName, random } = config;

  const sizeOfPart = async (partition: string, [from, to]: readonly [string, string], atMost: number): Promise<BacklogSize> => {
    const items = await allPages(
      'measure a backlog',
      (start) =>
        client.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: 'p = :p AND s BETWEEN :from AND :to',
            ExpressionAttributeValues: { ':p': partition, ':from': from, ':to': to },
            ProjectionExpression: 's',
            Limit: atMost + 1,
            ExclusiveStartKey: start,
          }),
        ),
      atMost + 1,
    );
    const [first] = items;
    return {
      count: Math.min(items.length, atMost),
      more: items.length > atMost,
      oldestAt: first && rankAndTimeOf(String(first['s'])).at,
    };
  };

  const sizeOf = async (lane: Lane, place: Place, priority: Priority, atMost: number): Promise<BacklogSize> => {
    const range = rangeOfClass(place, priority);
    const each = Math.ceil(atMost / BACKLOG_SHARDS);
    const parts = await Promise.all(shardNumbers(BACKLOG_SHARDS).map((shard) => sizeOfPart(backlogPartition(lane, shard), range, each)));
    const ats = parts.flatMap(({ oldestAt }) => oldestAt ?? []);
    return {
      count: parts.reduce((sum, { count }) => sum + count, 0),
      more: parts.some(({ more }) => more),
      oldestAt: ats.length === 0 ? undefined : Math.min(...ats),
    };
  };

  return {
    cells: async (names) => {
      const keys = new Map(names.map(({ lane, cell }) => cellKey(lane, cell)).map((key) => [key.p, key]));
      const items = await readBatch(client, 'read lane cells', TableName, random, [...keys.values()], { consistent: false });
      const byKey = new Map(items.map((item) => [String(item['p']), item]));
      return names.map(({ lane, cell }) => cellOf(byKey.get(cellKey(lane, cell).p) ?? {}));
    },
    sizes: async (lane, atMost) => {
      const ofPlace = async (place: Place): Promise<Record<Priority, BacklogSize>> => {
        const [high, normal, low] = await Promise.all(PRIORITIES.map((priority) => sizeOf(lane, place, priority, atMost)));
        return { high: high ?? NOTHING, normal: normal ?? NOTHING, low: low ?? NOTHING };
      };
      const [permits, budget] = await Promise.all([ofPlace('permits'), ofPlace('budget')]);
      return { permits, budget };
    },
  };
}

const NOTHING: BacklogSize = { count: 0, more: false, oldestAt: undefined };

/** The range of one class: up to where the next one begins. */
function rangeOfClass(place: Place, priority: Priority): readonly [string, string] {
  const next = PRIORITIES[PRIORITIES.indexOf(priority) + 1];
  const [from, end] = backlogRange(place, priority);
  return [from, next === undefined ? end : backlogRange(place, next)[0]];
}
