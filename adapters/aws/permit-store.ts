import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cell, Lane, Permit, PermitStore } from '../../core/ports/permit-store.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { cellKey } from './keys.ts';
import { permitOfText, textOfPermit } from './permit-codec.ts';

/** An absent set has size 0; DynamoDB has no empty sets, and no size of an absent attribute. */
const ROOM_IN_CELL = 'attribute_not_exists(permits) OR size(permits) <= :room';
/** The version of the flag only grows, so that a late clear never takes down a newer flag. */
const CLEARED_LESS = 'attribute_not_exists(cleared) OR cleared < :version';

export interface PermitStoreConfig {
  readonly table: string;
}

/** Lane cells in DynamoDB: each call but `read` is one write, except where its condition is lost. */
export function createPermitStore(client: DynamoDBDocumentClient, config: PermitStoreConfig): PermitStore {
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

  /**
   * Adds the permits if the cell has room for those that it does not hold yet; `held` are asked ones that it was seen
   * to hold. The condition names them: while they are there, size counts them already.
   */
  const add = async (lane: Lane, cell: number, permits: readonly Permit[], held: readonly string[], limit: number) => {
    const room = limit - (permits.length - held.length);
    const command = new UpdateCommand({
      TableName,
      Key: cellKey(lane, cell),
      UpdateExpression: 'ADD permits :permits',
      ConditionExpression:
        held.length === 0 ? ROOM_IN_CELL : ['size(permits) <= :room', ...held.map((_, n) => `contains(permits, :held${n})`)].join(' AND '),
      ExpressionAttributeValues: {
        ':permits': new Set(permits.map(textOfPermit)),
        ':room': room,
        ...Object.fromEntries(held.map((text, n) => [`:held${n}`, text])),
      },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return conditionalAnswerOf('take permits', client.send(command));
  };

  const acquire: PermitStore['acquire'] = async (lane, cell, permits, limit) => {
    const asked = permits.map(textOfPermit);
    let held: readonly string[] = [];
    for (;;) {
      // More than the limit: not even an empty cell has room, and the condition would let them into an absent set.
      const hopeless = permits.length === 0 || permits.length > limit;
      const answer = hopeless ? undefined : await add(lane, cell, permits, held, limit);
      if (answer?.met) return { granted: true, cell: cellOf(answer.output.Attributes ?? {}) };

      const item = answer?.found ?? (await read(lane, cell));
      const texts = textsOf(item);
      const overlap = asked.filter((text) => texts.has(text));
      // All of them are there: this is the repeat of a call that was granted and whose answer was lost.
      if (overlap.length === asked.length) return { granted: true, cell: cellOf(item) };
      const fits = texts.size + asked.length - overlap.length <= limit;
      // Asking again helps only where some are held, so that the condition counted them twice.
      if (hopeless || !fits || overlap.length <= held.length) return { granted: false, cell: cellOf(item) };
      held = overlap;
    }
  };

  return {
    acquire,
    release: async (lane, cell, permits) => {
      // A set in an expression has at least one element.
      if (permits.length === 0) return cellOf(await read(lane, cell));
      return update(lane, cell, 'DELETE permits :permits', { ':permits': new Set(permits.map(textOfPermit)) });
    },
    read: async (lane, cell) => cellOf(await read(lane, cell)),
    // Repeated, it counts twice: the flag is up either way, and only versions that were read are cleared.
    raise: (lane, cell) => update(lane, cell, 'ADD raised :one', { ':one': 1 }),
    clear: async (lane, cell, version) => {
      const command = new UpdateCommand({
        TableName,
        Key: cellKey(lane, cell),
        UpdateExpression: 'SET cleared = :version',
        ConditionExpression: CLEARED_LESS,
        ExpressionAttributeValues: { ':version': version },
      });
      // Lost: that version, or a later one, is dealt with already.
      await conditionalAnswerOf('clear a backlog flag', client.send(command));
    },
  };
}

function textsOf(item: Item): ReadonlySet<string> {
  return item['permits'] instanceof Set ? (item['permits'] as Set<string>) : new Set();
}

function cellOf(item: Item): Cell {
  return {
    permits: [...textsOf(item)].flatMap((text) => permitOfText(text) ?? []),
    raised: Number(item['raised'] ?? 0),
    cleared: Number(item['cleared'] ?? 0),
  };
}
