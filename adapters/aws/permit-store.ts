import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Cell, Demands, Lane, PermitStore, Share, Starts } from '../../core/ports/permit-store.ts';
import { limitFor } from '../../core/priority/ask.ts';
import { cellOf, createCellCalls, FLAGS, textsOf, type CellChange, type PermitStoreConfig } from './permit-cell.ts';
import { partsOfClasses, ranksOf } from './permit-classes.ts';
import { textOfAimd, textOfPermit } from './permit-codec.ts';
import {
  NO_PARTS,
  partsOfLimit,
  partsOfRates,
  partsOfStarts,
  partsOfYield,
  partsOnce,
  together,
  type Parts,
} from './permit-expressions.ts';
import { partsOfRateShare } from './permit-rates.ts';
import { createPermitReturns } from './permit-returns.ts';

/** An absent set has size 0; DynamoDB has no empty sets, and no size of an absent attribute. */
const ROOM_IN_CELL = '(attribute_not_exists(permits) OR size(permits) <= :room)';
/** Nobody has changed what the cell knows of its capacity, nor the number of cells in use. */
const SAME_AIMD = { seen: 'ai = :ai AND al = :al', none: 'attribute_not_exists(ai)' };
const SAME_CELLS = { seen: 'n = :n', none: 'attribute_not_exists(n)' };

/** Lane cells in DynamoDB: each call but `read` is one write, except where its condition is lost. */
export function createPermitStore(client: DynamoDBDocumentClient, config: PermitStoreConfig): PermitStore {
  const { read, update, change } = createCellCalls(client, config);

  /** The cell as the write left it, or, refused, as it was found. */
  const cellAfter = async (lane: Lane, cell: number, answer: CellChange): Promise<Cell> =>
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
    const missing = texts.length - held.length;
    const more = missing - (demands.ahead ?? 0);
    const room = limit - more;
    const ours = held.length === 0 ? [ROOM_IN_CELL] : ['size(permits) <= :room', ...held.map((_, n) => `contains(permits, :held${n})`)];
    const permits: Parts = {
      set: [],
      add: ['permits :permits'],
      conditions: ours,
      values: { ':permits': new Set(texts), ':room': room, ...Object.fromEntries(held.map((text, n) => [`:held${n}`, text])) },
    };
    const once = partsOnce(
      texts[0] ?? '',
      held.length > 0,
      starts,
      demands.rates,
      demands.classes && partsOfClasses(demands.classes, more),
    );
    return change('take permits', lane, cell, together([permits, partsOfLimit(limit, demands), ...partsOfYield(demands, more), ...once]));
  };

  const acquire: PermitStore['acquire'] = async (lane, cell, permits, limit, starts, demands = {}) => {
    const asked = permits.map(textOfPermit);
    let held: readonly string[] = [];
    for (;;) {
      // More than the limit: not even an empty cell has room, and the condition would let them into an absent set.
      const hopeless = permits.length === 0 || permits.length > limit + (demands.ahead ?? 0);
      const answer = hopeless ? undefined : await add(lane, cell, asked, held, limit, starts, demands);
      if (answer?.met) return { granted: true, cell: cellOf(answer.output.Attributes ?? {}) };

      const item = answer?.found ?? (await read(lane, cell));
      const texts = textsOf(item);
      const overlap = asked.filter((text) => texts.has(text));
      // All of them are there: this is the repeat of a call that was granted and whose answer was lost.
      if (overlap.length === asked.length) return { granted: true, cell: cellOf(item) };
      const fits = texts.size + asked.length - overlap.length <= limitFor(cellOf(item), limit, demands);
      // Asking again helps only where some are held, so that the condition counted them twice.
      if (hopeless || !fits || overlap.length <= held.length) return { granted: false, cell: cellOf(item) };
      held = overlap;
    }
  };

  /** The latest version: nothing waits, of no class. */
  const clearWhole = async (lane: Lane, cell: number, version: number, raised: string, cleared: string): Promise<boolean> => {
    const answer = await change('clear a backlog flag', lane, cell, {
      set: [`${cleared} = :version`],
      add: [],
      remove: ['wc', 'pw'],
      conditions: [`${raised} = :version`, `(attribute_not_exists(${cleared}) OR ${cleared} < :version)`],
      values: { ':version': version },
    });
    return answer.met;
  };

  return {
    ...createPermitReturns(client, config),
    acquire,
    read: async (lane, cell) => cellOf(await read(lane, cell)),
    // Repeated, it counts twice: the flag is up either way, and only versions that were read are cleared.
    raise: (lane, cell, of = 'permits', classes = [], wanted = 0) =>
      update(
        lane,
        cell,
        `ADD ${FLAGS[of].raised} :one${classes.length > 0 ? ', wc :ranks' : ''}${wanted > 0 ? ', pw :wanted' : ''} REMOVE au`,
        {
          ':one': 1,
          ...(classes.length > 0 && { ':ranks': ranksOf(classes) }),
          ...(wanted > 0 && { ':wanted': wanted }),
        },
      ),
    clear: async (lane, cell, version, of = 'permits') => {
      const { raised, cleared } = FLAGS[of];
      // Where something was put there since, its class is not taken away.
      if (of === 'permits' && (await clearWhole(lane, cell, version, raised, cleared))) return;
      await change('clear a backlog flag', lane, cell, {
        set: [`${cleared} = :version`],
        add: [],
        // The version of the flag only grows, so that a late clear never takes down a newer flag. Lost: that version, or a
        // later one, is dealt with already.
        conditions: [`(attribute_not_exists(${cleared}) OR ${cleared} < :version)`],
        values: { ':version': version },
      });
    },
    preempt: async (lane, cell) => {
      const answer = await change('ask for room', lane, cell, {
        set: [],
        add: ['pw :less'],
        conditions: ['pw > :none'],
        values: { ':less': -1, ':none': 0 },
      });
      return answer.met;
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
    setRates: async (lane, rates, seen) => {
      const answer = await change('give rates', lane, 0, partsOfRateShare(rates, seen));
      return { set: answer.met, cell: await cellAfter(lane, 0, answer) };
    },
    count: async (lane, cell, starts) => {
      const answer = await change('count starts', lane, cell, partsOfStarts(starts));
      return { counted: answer.met, cell: await cellAfter(lane, cell, answer) };
    },
    lineUp: async (pool, cell, tenant, most) => {
      const answer = await change('line up for an entry pool', pool, cell, {
        set: [],
        add: ['wl :tenants'],
        conditions: ['(attribute_not_exists(wl) OR size(wl) < :most OR contains(wl, :tenant))'],
        values: { ':tenants': new Set([tenant]), ':tenant': tenant, ':most': most },
      });
      return cellAfter(pool, cell, answer);
    },
    spend: async (lane, rates, unrated = false) => {
      const steps = partsOfRates(rates);
      const answer = await change('step rates', lane, 0, unrated ? { ...steps, conditions: [...steps.conditions, NO_PARTS] } : steps);
      return { spent: answer.met, cell: await cellAfter(lane, 0, answer) };
    },
  };
}

function partsOfShare({ version, share, cells, each, closed = false }: Share): Parts {
  const numbers = Object.entries({ sh: share, sc: cells, se: each });
  const given = numbers.filter(([, number]) => number !== undefined);
  return {
    set: ['sv = :version', ...given.map(([name]) => `${name} = :${name}`), ...(closed ? ['sx = :version'] : [])],
    add: [],
    remove: [...numbers.flatMap(([name, number]) => (number === undefined ? [name] : [])), ...(closed ? [] : ['sx'])],
    conditions: ['(attribute_not_exists(sv) OR sv < :version)'],
    values: { ':version': version, ...Object.fromEntries(given.map(([name, number]) => [`:${name}`, number])) },
  };
}
