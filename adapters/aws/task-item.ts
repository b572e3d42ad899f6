import { TABLE, taskRowSchema, type TaskRow } from '@sluice/contracts';
import type { RowChange } from '../../core/ports/task-store.ts';
import { failureKey } from '../../core/tasks/failure-key.ts';
import type { Item } from './answers.ts';
import { deadPartition, listPartition, ROW_SORT, taskOfPartition, taskPartition } from './keys.ts';

/**
 * A row as an item. Tenant and id are in the key alone, so that a row with 400 B of payload stays under the 1 KB of one
 * write unit.
 */
export function itemOfRow(row: TaskRow, withList: boolean): Item {
  const { tenant, id, ...stored } = row;
  return {
    p: taskPartition(tenant, id),
    s: ROW_SORT,
    ...stored,
    ...(withList && {
      [TABLE.listIndex.partitionKey]: listPartition(tenant, row.acceptedAt, row.uid),
      [TABLE.listIndex.sortKey]: row.uid,
    }),
    ...(row.state === 'failed' && !row.redrivenAs && deadKeys(tenant, row.type, row.endedAt ?? row.acceptedAt, row.uid)),
  };
}

/** Reads a row; items of older versions get their defaults here. @throws when it is no row. */
export function rowOfItem(item: Item): TaskRow {
  return taskRowSchema.parse({ ...item, ...taskOfPartition(String(item['p'])) });
}

export function deadKeys(tenant: string, type: string, at: number, uid: string): Item {
  return { [TABLE.deadIndex.partitionKey]: deadPartition(tenant, type, at, uid), [TABLE.deadIndex.sortKey]: failureKey(at, uid) };
}

export interface UpdateExpression {
  readonly UpdateExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Item;
}

/** The attributes by which a failure is in its index: without them it has left it. */
export const DEAD_KEYS: readonly string[] = [TABLE.deadIndex.partitionKey, TABLE.deadIndex.sortKey];

/** The one expression of a change. Every name is aliased: the domain's words are DynamoDB's reserved ones too often. */
export function expressionOf(change: RowChange, extra: Item, nextSeq: number, gone: readonly string[] = []): UpdateExpression {
  const names: Record<string, string> = { '#seq': 'seq' };
  const values: Item = { ':next': nextSeq };
  const alias = (name: string): string => {
    names[`#${name}`] = name;
    return `#${name}`;
  };
  const assign = (entries: object, form: (path: string, value: string) => string): string[] =>
    Object.entries(entries)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => {
        values[`:${name}`] = value;
        return form(alias(name), `:${name}`);
      });

  const once = Object.entries(change.setOnce ?? {}).filter(([name]) => !(name in change.set));
  const sets = [
    '#seq = :next',
    ...assign({ ...change.set, ...extra }, (path, value) => `${path} = ${value}`),
    ...assign(Object.fromEntries(once), (path, value) => `${path} = if_not_exists(${path}, ${value})`),
  ];
  const removes = [...(change.remove ?? []), ...gone].map(alias);
  return {
    UpdateExpression: `SET ${sets.join(', ')}${removes.length > 0 ? ` REMOVE ${removes.join(', ')}` : ''}`,
    ExpressionAttributeNames: names,
    ExpressionAttributeValues: values,
  };
}
