import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cell, Demands, Lane, PermitStore, Place, Share, Starts } from '../../core/ports/permit-store.ts';
import { answerOf, conditionalAnswerOf, type ConditionalAnswer, type Item } from './answers.ts';
import { cellKey } from './keys.ts';
import { aimdOf, markOfText, permitOfText, textOfAimd, textOfPermit } from './permit-codec.ts';
import { partsOfLimit, partsOfRates, partsOnce, together, updateOf, type Parts } from './permit-expressions.ts';

/** An absent set has size 0; DynamoDB has no empty sets, and no size of an absent attribute. */
const ROOM_IN_CELL = '(attribute_not_exists(permits) OR size(permits) <= :room)';
/** Nobody has changed what the cell knows of its capacity, nor the number of cells in use. */
const SAME_AIMD = { seen: 'ai = :ai AND al = :al', none: 'attribute_not_exists(ai)' };
const SAME_CELLS = { seen: 'n = :n', none: 'attribute_not_exists(n)' };

/**
 * Attributes beside the permits. A cell is billed by the kilobyte, so they are short: `f` and `r` count first attempts and
 * retries, `wb` and `wn` are the budget's marks, `ok` is when the latest success began, in seconds; `al` and `ai` are the
 * limit of AIMD and what it knows beside that, `g` counts successes, `n` is the number of cells in use; `sh`, `sc` and `sv`
 * are the share, its cells and its version; `t1` and `t2` the TATs of rates, `wk` the time at which they let the lane go on.
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

  const change = (what: string, lane: Lane, cell: number, parts: Parts): Promise<ConditionalAnswer<{ Attributes?: Item | undefined }>> => {
    const command = new UpdateCommand({
      TableName,
      Key: cellKey(lane, cell),
      ...updateOf(parts),
      ReturnValues: 'ALL_NEW',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    return conditionalAnswerOf(what, client.send(command));
  };

  /** The cell as the write left it, or, refused, as it was found. */
  const cellAfter = async (lane: Lane, cell: number, answer: ConditionalAnswer<{ Attributes?: Item | undefined }>): Promise<Cell> =>
    cellOf(answer.met ? (answer.output.Attributes ?? {}) : (answer.found ?? (await read(lane, cell))));

  /**
   * Adds the permits if the cell has room for those that it does not hold yet; `held` are asked ones that it was seen
   * to hold. The condition names them: while they are there, size counts them already.
   */
  const add = (
    lane: Lane,
    cell: number,
    texts: readonly string[],
    held: readonly string[],
    limit: number,
    starts: Starts | undefined,
    demands: Demands,
  ) => {
    const room = limit - (texts.length - held.length);
    const ours = held.length === 0 ? [ROOM_IN_CELL] : ['size(permits) <= :room', ...held.map((_, n) => `contains(permits, :held${n})`)];
    const permits: Parts = {
      set: [],
      add: ['permits :permits'],
      conditions: ours,
      values: { ':permits': new Set(texts), ':room': room, ...Object.fromEntries(held.map((text, n) => [`:held${n}`, text])) },
    };
    const once = partsOnce(texts[0] ?? '', held.length > 0, starts, demands.rates);
    return change('take permits', lane, cell, together([permits, partsOfLimit(limit, demands), ...once]));
  };

  const acquire: PermitStore['acquire'] = async (lane, cell, permits, limit, starts, demands = {}) => {
    const asked = permits.map(textOfPermit);
    let held: readonly string[] = [];
    for (;;) {
      // More than the limit: not even an empty cell has room, and the condition would let them into an absent set.
      const hopeless = permits.length === 0 || permits.length > limit;
      const answer = hopeless ? undefined : await add(lane, cell, asked, held, limit, starts, demands);
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
    release: async (lane, cell, permits, { aliveAt, good = 0 } = {}) => {
      // A set in an expression has at least one element.
      if (permits.length === 0) return cellOf(await read(lane, cell));
      const clauses = ['DELETE permits :permits', ...(aliveAt === undefined ? [] : ['SET ok = :ok']), ...(good > 0 ? ['ADD g :g'] : [])];
      return update(lane, cell, clauses.join(' '), {
        ':permits': new Set(permits.map(textOfPermit)),
        ...(aliveAt !== undefined && { ':ok': Math.floor(aliveAt / 1000) }),
        ...(good > 0 && { ':g': good }),
      });
    },
    read: async (lane, cell) => cellOf(await read(lane, cell)),
    // Repeated, it counts twice: the flag is up either way, and only versions that were read are cleared.
    raise: (lane, cell, of = 'permits') => update(lane, cell, `ADD ${FLAGS[of].raised} :one`, { ':one': 1 }),
    clear: async (lane, cell, version, of = 'permits') => {
      const { cleared } = FLAGS[of];
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
    adapt: async (lane, cell, next, seen, cells) => {
      const known = seen.aimd;
      const answer = await change('change a limit', lane, cell, {
        set: ['al = :limit', 'ai = :next', ...(cells === undefined ? [] : ['n = :cells'])],
        add: [],
        conditions: [
          known ? SAME_AIMD.seen : SAME_AIMD.none,
          ...(cells === undefined ? [] : [seen.cells === undefined ? SAME_CELLS.none : SAME_CELLS.seen]),
        ],
        values: {
          ':limit': next.limit,
          ':next': textOfAimd(next),
          ...(known && { ':ai': textOfAimd(known), ':al': known.limit }),
          ...(cells !== undefined && { ':cells': cells, ...(seen.cells !== undefined && { ':n': seen.cells }) }),
        },
      });
      return { adapted: answer.met, cell: await cellAfter(lane, cell, answer) };
    },
    setShare: async (lane, cell, share) => {
      const answer = await change('give a share', lane, cell, partsOfShare(share));
      return { set: answer.met, cell: await cellAfter(lane, cell, answer) };
    },
    spend: async (lane, rates) => {
      const answer = await change('step rates', lane, 0, partsOfRates(rates));
      return { spent: answer.met, cell: await cellAfter(lane, 0, answer) };
    },
    wake: async (lane, at, now) => {
      const answer = await change('note when rates go on', lane, 0, {
        set: ['wk = :at'],
        add: [],
        // Later than asked for is too late; what is past has been told.
        conditions: ['(attribute_not_exists(wk) OR wk <= :now OR wk > :at)'],
        values: { ':at': at, ':now': now },
      });
      return answer.met;
    },
  };
}

function partsOfShare({ version, share, cells }: Share): Parts {
  const removed = [...(share === undefined ? ['sh'] : []), ...(cells === undefined ? ['sc'] : [])];
  return {
    set: ['sv = :version', ...(share === undefined ? [] : ['sh = :share']), ...(cells === undefined ? [] : ['sc = :cells'])],
    add: [],
    remove: removed,
    conditions: ['(attribute_not_exists(sv) OR sv < :version)'],
    values: { ':version': version, ...(share !== undefined && { ':share': share }), ...(cells !== undefined && { ':cells': cells }) },
  };
}

function textsOf(item: Item): ReadonlySet<string> {
  return item['permits'] instanceof Set ? (item['permits'] as Set<string>) : new Set();
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
    ...limitsOf(item),
  };
}

function limitsOf(item: Item): Pick<Cell, 'share' | 'aimd' | 'good' | 'cells' | 'tats' | 'wakeAt'> {
  const number = (name: string): number | undefined => (item[name] === undefined ? undefined : Number(item[name]));
  const [aimd, good, cells, version, share, of, wakeAt] = [
    aimdOf(item['al'], item['ai']),
    ...['g', 'n', 'sv', 'sh', 'sc', 'wk'].map(number),
  ];
  const tats = [number('t1'), number('t2')];
  return {
    ...(aimd && { aimd }),
    ...(good !== undefined && { good }),
    ...(cells !== undefined && { cells }),
    ...(version !== undefined && { share: { version, ...(share !== undefined && { share }), ...(of !== undefined && { cells: of }) } }),
    ...(wakeAt !== undefined && { wakeAt }),
    ...(tats[0] !== undefined && { tats: tats[1] === undefined ? [tats[0]] : tats }),
  };
}
