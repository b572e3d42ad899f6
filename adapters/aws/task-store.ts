import { attemptSchema, type TaskRow } from '@sluice/contracts';
import { GetCommand, PutCommand, QueryCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../core/ports/clock.ts';
import type { RowChange, RowVersion, TaskStore, WriteResult } from '../../core/ports/task-store.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { answerOf, conditionalAnswerOf, type ConditionalAnswer, type Item } from './answers.ts';
import { createNoteFailure } from './dead-days.ts';
import { archiveSort, attemptsPrefix, attemptSort, ROW_SORT, taskPartition } from './keys.ts';
import { allPages } from './pages.ts';
import { DEAD_KEYS, deadKeys, expressionOf, itemOfRow, rowOfItem } from './task-item.ts';

/** Days that a copy of an old generation is kept. */
const ARCHIVE_DAYS = 30;

/** Nobody has taken the id yet. */
const NO_ROW = 'attribute_not_exists(p)';
/**
 * The row is the very write that was read. The uid alone would let a late writer overwrite a newer state of the same
 * generation; the seq alone, one of another generation that has come as far.
 */
const SAME_VERSION = 'uid = :uid AND #seq = :seq';
/** And it is in the state that the writer decided on: another writer's end may have made the very seq of its hint. */
const SAME_STATE = `${SAME_VERSION} AND #state = :was`;

export interface TaskStoreConfig {
  readonly table: string;
  /** Whether new rows are put into the index that tasks are listed by. */
  readonly listIndex: boolean;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Items that one page of a scan looks at. @default what fits 1 MB */
  readonly scanPageSize?: number;
}

/** The rows of tasks in DynamoDB. */
export function createTaskStore(client: DynamoDBDocumentClient, config: TaskStoreConfig): TaskStore {
  const { table: TableName, clock, telemetry } = config;
  const noteFailure = createNoteFailure(client, TableName);
  const keyOf = (tenant: string, id: string): Item => ({ p: taskPartition(tenant, id), s: ROW_SORT });

  const get = async (tenant: string, id: string): Promise<TaskRow | undefined> => {
    const command = new GetCommand({ TableName, Key: keyOf(tenant, id), ConsistentRead: true });
    const { Item: item } = await answerOf('read a task', client.send(command));
    return item && rowOfItem(item);
  };

  // The item comes with the lost condition where the service supports it; an emulator may not, and an item that is gone
  // has nothing to come with: both are read again.
  const lost = async (tenant: string, id: string, found: Item | undefined): Promise<WriteResult> => ({
    applied: false,
    row: found ? rowOfItem(found) : await get(tenant, id),
  });

  const put = async (row: TaskRow, condition: string, old?: RowVersion): Promise<WriteResult> => {
    if (row.state === 'failed') await noteFailure(row.tenant, row.type, row.endedAt ?? row.acceptedAt);
    const command = new PutCommand({
      TableName,
      Item: itemOfRow(row, config.listIndex),
      ConditionExpression: condition,
      ...(old && {
        ExpressionAttributeNames: { '#seq': 'seq' },
        ExpressionAttributeValues: { ':uid': old.uid, ':seq': old.seq },
      }),
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const answer = await conditionalAnswerOf('write a task', client.send(command));
    return answer.met ? { applied: true, row } : lost(row.tenant, row.id, answer.found);
  };

  const updateItem = (
    tenant: string,
    id: string,
    { uid, seq, state }: RowVersion,
    change: RowChange,
    extra: Item,
  ): Promise<ConditionalAnswer<{ readonly Attributes?: Item | undefined }>> => {
    // A failure that was redriven as another task is dead no more.
    const expression = expressionOf(change, extra, seq + 1, change.set.redrivenAs ? DEAD_KEYS : []);
    const command = new UpdateCommand({
      TableName,
      Key: keyOf(tenant, id),
      ...expression,
      ConditionExpression: state ? SAME_STATE : SAME_VERSION,
      ExpressionAttributeNames: { ...expression.ExpressionAttributeNames, ...(state && { '#state': 'state' }) },
      ExpressionAttributeValues: { ...expression.ExpressionAttributeValues, ':uid': uid, ':seq': seq, ...(state && { ':was': state }) },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return conditionalAnswerOf('change a task', client.send(command));
  };

  return {
    get,
    insert: (row) => put(row, NO_ROW),
    replace: (row, old) => put(row, SAME_VERSION, old),

    update: async (tenant, id, version, change) => {
      let extra: Item = {};
      if (change.set.state === 'failed') {
        // The index of failures is keyed by type, which a change need not name: a failure may cost a read.
        let type = change.set.type;
        if (type === undefined) {
          const row = await get(tenant, id);
          // A seq only grows: what is not this version now will not be it again.
          if (row?.uid !== version.uid || row.seq !== version.seq) return { applied: false, row };
          type = row.type;
        }
        const at = change.set.endedAt ?? clock.now();
        await noteFailure(tenant, type, at);
        extra = deadKeys(tenant, type, at, version.uid);
      }
      const answer = await updateItem(tenant, id, version, change, extra);
      if (!answer.met) return lost(tenant, id, answer.found);
      return { applied: true, row: rowOfItem(answer.output.Attributes ?? {}) };
    },

    archive: async (row) => {
      const { tenant, id, ...stored } = row;
      const ttl = Math.ceil(clock.now() / 1000) + ARCHIVE_DAYS * 86_400;
      const copy = { ...stored, p: taskPartition(tenant, id), s: archiveSort(row.uid), ttl };
      await answerOf('archive a task', client.send(new PutCommand({ TableName, Item: copy })));
    },

    putAttempt: async (tenant, id, attempt, ttl) => {
      const s = attemptSort(attempt);
      const item = { ...attempt, p: taskPartition(tenant, id), s, ttl };
      await answerOf('keep an attempt', client.send(new PutCommand({ TableName, Item: item })));
    },

    attempts: async (tenant, id, uid) =>
      (await attemptItems(client, TableName, taskPartition(tenant, id), uid)).map((item) => attemptSchema.parse(item)),

    scan: async (segment, segments, from) => {
      const command = new ScanCommand({
        TableName,
        Segment: segment,
        TotalSegments: segments,
        FilterExpression: 's = :row',
        ExpressionAttributeValues: { ':row': ROW_SORT },
        Limit: config.scanPageSize,
        ExclusiveStartKey: from === undefined ? undefined : (JSON.parse(from) as Item),
      });
      const page = await answerOf('scan tasks', client.send(command));
      const rows = (page.Items ?? []).flatMap((item): TaskRow[] => {
        try {
          return [rowOfItem(item)];
        } catch (error) {
          // One row that cannot be read must not end the audit of all others.
          telemetry.log('error', 'row that cannot be read', { key: item['p'], error: String(error) });
          return [];
        }
      });
      return { rows, next: page.LastEvaluatedKey && JSON.stringify(page.LastEvaluatedKey) };
    },
  };
}

/** The kept attempts of one generation, in order of their fences. */
export async function attemptItems(
  client: DynamoDBDocumentClient,
  TableName: string,
  partition: string,
  uid: string,
): Promise<readonly Item[]> {
  return allPages('read attempts', (from) =>
    client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: 'p = :p AND begins_with(s, :prefix)',
        ExpressionAttributeValues: { ':p': partition, ':prefix': attemptsPrefix(uid) },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    ),
  );
}
