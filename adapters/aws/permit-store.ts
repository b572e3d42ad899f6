import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cell, ClassAsk, Lane, Permit, PermitStore, Place, Starts } from '../../core/ports/permit-store.ts';
import { limitUnder } from '../../core/priority/ask.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { classCountsOf, classesOf, ranksOf } from './permit-classes.ts';
import { cellKey } from './keys.ts';
import { markOfText, permitOfText, textOfMark, textOfPermit } from './permit-codec.ts';

/** An absent set has size 0; DynamoDB has no empty sets, and no size of an absent attribute. */
const ROOM_IN_CELL = '(attribute_not_exists(permits) OR size(permits) <= :room)';
/** All of a call's permits are added in one write: where one of them is, the call was granted before and is counted. */
const NOT_YET = 'NOT contains(permits, :first)';
/** Nobody has moved the window of the budget since it was seen, and its retries are not used up. */
const WITHIN_BUDGET = '(attribute_not_exists(r) OR r <= :before)';
const SAME_WINDOW = { seen: 'wn = :seen', none: 'attribute_not_exists(wn)' };

/**
 * Attributes beside the permits. A cell is billed by the kilobyte, so they are short: `f` and `r` count first attempts and
 * retries, `wb` and `wn` are the budget's marks, `ok` is when the latest success began, in seconds. Those of classes are in
 * permit-classes.ts.
 */
const FLAGS = { permits: { raised: 'raised', cleared: 'cleared' }, budget: { raised: 'rr', cleared: 'rc' } } as const;

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
  const add = async (
    lane: Lane,
    cell: number,
    permits: readonly Permit[],
    held: readonly string[],
    limit: number,
    starts: Starts | undefined,
    ask: ClassAsk | undefined,
  ) => {
    const missing = permits.length - held.length;
    const room = limit - missing;
    const texts = permits.map(textOfPermit);
    const counts = countsOf(starts);
    // What is counted or noted is so once, however often a call is sent.
    const once = (starts ?? ask) && held.length === 0;
    const classes = classCountsOf(ask, missing);
    const set = [...counts.set, ...classes.set];
    const ours = held.length === 0 ? [ROOM_IN_CELL] : ['size(permits) <= :room', ...held.map((_, n) => `contains(permits, :held${n})`)];
    const command = new UpdateCommand({
      TableName,
      Key: cellKey(lane, cell),
      UpdateExpression: `ADD permits :permits${counts.add}${classes.add}${set.length > 0 ? ` SET ${set.join(', ')}` : ''}`,
      ConditionExpression: [...ours, ...(once ? [NOT_YET] : []), ...counts.conditions, ...classes.conditions].join(' AND '),
      ExpressionAttributeValues: {
        ':permits': new Set(texts),
        ':room': room,
        ...(once && { ':first': texts[0] }),
        ...Object.fromEntries(held.map((text, n) => [`:held${n}`, text])),
        ...counts.values,
        ...classes.values,
      },
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return conditionalAnswerOf('take permits', client.send(command));
  };

  const acquire: PermitStore['acquire'] = async (lane, cell, permits, limit, starts, ask) => {
    const asked = permits.map(textOfPermit);
    let held: readonly string[] = [];
    for (;;) {
      // More than the limit: not even an empty cell has room, and the condition would let them into an absent set.
      const hopeless = permits.length === 0 || permits.length > limit;
      const answer = hopeless ? undefined : await add(lane, cell, permits, held, limit, starts, ask);
      if (answer?.met) return { granted: true, cell: cellOf(answer.output.Attributes ?? {}) };

      const item = answer?.found ?? (await read(lane, cell));
      const texts = textsOf(item);
      const overlap = asked.filter((text) => texts.has(text));
      // All of them are there: this is the repeat of a call that was granted and whose answer was lost.
      if (overlap.length === asked.length) return { granted: true, cell: cellOf(item) };
      const fits = texts.size + asked.length - overlap.length <= limitUnder(cellOf(item), limit, ask);
      // Asking again helps only where some are held, so that the condition counted them twice.
      if (hopeless || !fits || overlap.length <= held.length) return { granted: false, cell: cellOf(item) };
      held = overlap;
    }
  };

  /** The latest version: nothing waits, of no class. */
  const clearWhole = async (lane: Lane, cell: number, version: number, raised: string, cleared: string): Promise<boolean> => {
    const command = new UpdateCommand({
      TableName,
      Key: cellKey(lane, cell),
      UpdateExpression: `SET ${cleared} = :version REMOVE wc, pw`,
      ConditionExpression: `${raised} = :version AND (attribute_not_exists(${cleared}) OR ${cleared} < :version)`,
      ExpressionAttributeValues: { ':version': version },
    });
    return (await conditionalAnswerOf('clear a backlog flag', client.send(command))).met;
  };

  return {
    acquire,
    release: async (lane, cell, permits, aliveAt) => {
      // A set in an expression has at least one element.
      if (permits.length === 0) return cellOf(await read(lane, cell));
      const gone = { ':permits': new Set(permits.map(textOfPermit)) };
      if (aliveAt === undefined) return update(lane, cell, 'DELETE permits :permits', gone);
      return update(lane, cell, 'SET ok = :ok DELETE permits :permits', { ...gone, ':ok': Math.floor(aliveAt / 1000) });
    },
    read: async (lane, cell) => cellOf(await read(lane, cell)),
    // Repeated, it counts twice: the flag is up either way, and only versions that were read are cleared.
    raise: (lane, cell, of = 'permits', classes = [], wanted = 0) =>
      update(lane, cell, `ADD ${FLAGS[of].raised} :one${classes.length > 0 ? ', wc :ranks' : ''}${wanted > 0 ? ', pw :wanted' : ''}`, {
        ':one': 1,
        ...(classes.length > 0 && { ':ranks': ranksOf(classes) }),
        ...(wanted > 0 && { ':wanted': wanted }),
      }),
    clear: async (lane, cell, version, of = 'permits') => {
      const { raised, cleared } = FLAGS[of];
      // Where something was put there since, its class is not taken away.
      if (of === 'permits' && (await clearWhole(lane, cell, version, raised, cleared))) return;
      const command = new UpdateCommand({
        TableName,
        Key: cellKey(lane, cell),
        UpdateExpression: `SET ${cleared} = :version`,
        // The version of the flag only grows, so that a late clear never takes down a newer flag.
        ConditionExpression: `attribute_not_exists(${cleared}) OR ${cleared} < :version`,
        ExpressionAttributeValues: { ':version': version },
      });
      // Lost: that version, or a later one, is dealt with already.
      await conditionalAnswerOf('clear a backlog flag', client.send(command));
    },
    preempt: async (lane, cell) => {
      const command = new UpdateCommand({
        TableName,
        Key: cellKey(lane, cell),
        UpdateExpression: 'ADD pw :less',
        ConditionExpression: 'pw > :none',
        ExpressionAttributeValues: { ':less': -1, ':none': 0 },
      });
      return (await conditionalAnswerOf('ask for room', client.send(command))).met;
    },
  };
}

function textsOf(item: Item): ReadonlySet<string> {
  return item['permits'] instanceof Set ? (item['permits'] as Set<string>) : new Set();
}

/** What counts the starts of a call in its write. */
function countsOf(starts: Starts | undefined): { add: string; set: string[]; conditions: string[]; values: Item } {
  if (!starts) return { add: '', set: [], conditions: [], values: {} };
  const { firsts, retries, within } = starts;
  const counters = [...(firsts > 0 ? ['f :f'] : []), ...(retries > 0 ? ['r :r'] : [])];
  return {
    add: counters.map((each) => `, ${each}`).join(''),
    set: within ? ['wb = :base', 'wn = :next'] : [],
    conditions: within ? [WITHIN_BUDGET, within.seen ? SAME_WINDOW.seen : SAME_WINDOW.none] : [],
    values: {
      ...(firsts > 0 && { ':f': firsts }),
      ...(retries > 0 && { ':r': retries }),
      ...(within && {
        ':before': within.most - retries,
        ':base': textOfMark(within.base),
        ':next': textOfMark(within.next),
        ...(within.seen && { ':seen': textOfMark(within.seen) }),
      }),
    },
  };
}

function cellOf(item: Item): Cell {
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
    ...classesOf(item),
  };
}
