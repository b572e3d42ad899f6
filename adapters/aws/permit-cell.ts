import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cell, Lane, Place } from '../../core/ports/permit-store.ts';
import { answerOf, conditionalAnswerOf, type ConditionalAnswer, type Item } from './answers.ts';
import { cellKey } from './keys.ts';
import { classesOf } from './permit-classes.ts';
import { aimdOf, markOfText, permitOfText } from './permit-codec.ts';
import { updateOf, type Parts } from './permit-expressions.ts';
import { rateShareOf } from './permit-rates.ts';

/**
 * Attributes beside the permits. A cell is billed by the kilobyte, so they are short: `f` and `r` count first attempts and
 * retries, `wb` and `wn` are the budget's marks, `ok` is when the latest success began, in seconds; `al` and `ai` are the
 * limit of AIMD and what it knows beside that, `g` counts successes, `gh` sums up for how long they were held, `n` is the number of
 * cells in use; `sh`, `sc` and `sv` are the share, its cells and its version; `se` is what one lane may have of an entry pool,
 * `wl` who is in line for it; `au` is until when somebody looks for room; `t1` and `t2` the TATs of rates, `wk` the time at which
 * they let the lane go on; `sr` and `rv` are the parts of resources' rates and their version, `q60` the TAT of that in windows of 60 s.
 * Those of classes are in permit-classes.ts.
 */
export const FLAGS = { permits: { raised: 'raised', cleared: 'cleared' }, budget: { raised: 'rr', cleared: 'rc' } } as const;

export interface PermitStoreConfig {
  readonly table: string;
}

/** A conditional write of a cell, and the cell as it left it or, refused, as it was found. */
export type CellChange = ConditionalAnswer<{ Attributes?: Item | undefined }>;

/** The calls that cells are read and written by. */
export function createCellCalls(client: DynamoDBDocumentClient, config: PermitStoreConfig) {
  const { table: TableName } = config;

  const read = async (lane: Lane, cell: number): Promise<Item> => {
    const command = new GetCommand({ TableName, Key: cellKey(lane, cell), ConsistentRead: true });
    return (await answerOf('read a lane cell', client.send(command))).Item ?? {};
  };

  const update = async (lane: Lane, cell: number, UpdateExpression: string, ExpressionAttributeValues: Item): Promise<Cell> => {
    const command = new UpdateCommand({
      TableName,
      Key: cellKey(lane, cell),
      UpdateExpression,
      ExpressionAttributeValues,
      ReturnValues: 'ALL_NEW',
    });
    return cellOf((await answerOf('write a lane cell', client.send(command))).Attributes ?? {});
  };

  const change = (what: string, lane: Lane, cell: number, parts: Parts): Promise<CellChange> => {
    const command = new UpdateCommand({
      TableName,
      Key: cellKey(lane, cell),
      ...updateOf(parts),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return conditionalAnswerOf(what, client.send(command));
  };

  return { read, update, change };
}

export function textsOf(item: Item): ReadonlySet<string> {
  return item['permits'] instanceof Set ? (item['permits'] as Set<string>) : new Set();
}

export function cellOf(item: Item): Cell {
  const raised = (of: Place): number => Number(item[FLAGS[of].raised] ?? 0);
  const cleared = (of: Place): number => Number(item[FLAGS[of].cleared] ?? 0);
  const counted = item['f'] !== undefined || item['r'] !== undefined;
  return {
    permits: [...textsOf(item)].flatMap((text) => permitOfText(text) ?? []),
    raised: raised('permits'),
    cleared: cleared('permits'),
    ...(raised('budget') > 0 && { waiting: { raised: raised('budget'), cleared: cleared('budget') } }),
    ...(counted && {
      budget: {
        firsts: Number(item['f'] ?? 0),
        retries: Number(item['r'] ?? 0),
        base: markOfText(item['wb']),
        next: markOfText(item['wn']),
      },
    }),
    ...(item['ok'] !== undefined && { aliveAt: Number(item['ok']) * 1000 }),
    ...limitsOf(item),
    ...rateShareOf(item),
    ...classesOf(item),
  };
}

function limitsOf(item: Item): Pick<Cell, 'share' | 'aimd' | 'good' | 'held' | 'cells' | 'tats' | 'wakeAt' | 'line' | 'attendedUntil'> {
  const number = (name: string): number | undefined => (item[name] === undefined ? undefined : Number(item[name]));
  const [aimd, good, held, cells, version, share, of, wakeAt, each, attendedUntil] = [
    aimdOf(item['al'], item['ai']),
    ...['g', 'gh', 'n', 'sv', 'sh', 'sc', 'wk', 'se', 'au'].map(number),
  ];
  const tats = [number('t1'), number('t2')];
  const line = item['wl'] instanceof Set ? [...(item['wl'] as Set<unknown>)].map(String) : [];
  return {
    ...(aimd && { aimd }),
    ...(good !== undefined && { good }),
    ...(held !== undefined && { held }),
    ...(cells !== undefined && { cells }),
    ...(version !== undefined && {
      share: {
        version,
        ...(share !== undefined && { share }),
        ...(of !== undefined && { cells: of }),
        ...(item['sx'] !== undefined && { closed: true }),
        ...(each !== undefined && { each }),
      },
    }),
    ...(wakeAt !== undefined && { wakeAt }),
    ...(line.length > 0 && { line }),
    ...(attendedUntil !== undefined && { attendedUntil }),
    ...(tats[0] !== undefined && { tats: tats[1] === undefined ? [tats[0]] : tats }),
  };
}
