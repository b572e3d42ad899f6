import type { Rate, RateStep } from '../../core/limits/gcra.ts';
import type { Demands, Starts } from '../../core/ports/permit-store.ts';
import type { Item } from './answers.ts';
import { textOfMark, textOfRates } from './permit-codec.ts';

/** Parts of the one write that takes permits. */
export interface Parts {
  readonly set: readonly string[];
  readonly add: readonly string[];
  readonly remove?: readonly string[];
  readonly conditions: readonly string[];
  readonly values: Item;
}

/** Nobody has moved the window of the budget since it was seen, and its retries are not used up. */
const WITHIN_BUDGET = '(attribute_not_exists(r) OR r <= :before)';
const SAME_WINDOW = { seen: 'wn = :seen', none: 'attribute_not_exists(wn)' };
/** All of a call's permits are added in one write: where one of them is, the call was granted before and is counted. */
const NOT_YET = 'NOT contains(permits, :first)';
/** What the caller took for the cell's limit is no more than that now. A cell without one is as the caller expects. */
const WITHIN_SHARE = '(attribute_not_exists(sh) OR sh >= :limit)';
const WITHIN_AIMD = '(attribute_not_exists(al) OR al >= :limit)';
/** The attributes that TATs of a lane's own rates are in. */
const TATS = ['t1', 't2'] as const;
/** The attribute that the TAT of a part of resources' rates is in. */
export const partTat = ({ perSeconds }: Pick<Rate, 'perSeconds'>): string => `q${perSeconds}`;
/** Nobody has given the lane other parts since they were seen. A cell that had none may have some by now. */
const SAME_PARTS = 'sr = :parts';
export const NO_PARTS = 'attribute_not_exists(sr)';

export function partsOfLimit(limit: number, { adaptive = true, attended, unrated = false }: Demands): Parts {
  return {
    set: attended === undefined ? [] : ['au = :attended'],
    add: [],
    conditions: [WITHIN_SHARE, ...(adaptive ? [WITHIN_AIMD] : []), ...(unrated ? [NO_PARTS] : [])],
    values: { ':limit': limit, ...(attended !== undefined && { ':attended': attended }) },
  };
}

/** Who takes permits of an entry pool beside lanes that are in line for it leaves them some. */
export function partsOfYield({ yields }: Demands, missing: number): Parts[] {
  if (yields === undefined) return [];
  const values = { ':yields': yields - missing };
  return [{ set: [], add: [], conditions: [anyOf('attribute_not_exists(wl)', roomFor(yields - missing, ':yields'))], values }];
}

/** DynamoDB refuses parentheses that it does not need, and AND binds its terms closer than OR. */
export function anyOf(...conditions: readonly string[]): string {
  return `(${conditions.join(' OR ')})`;
}

/** No set has the size 0, and an absent one is smaller than none. */
export function roomFor(room: number, name: string): string {
  return room < 0 ? `size(permits) <= ${name}` : `attribute_not_exists(permits) OR size(permits) <= ${name}`;
}

/** What counts the starts of a call in its write, and steps its rates: once, however often it is sent. */
export function partsOnce(
  first: string,
  partly: boolean,
  starts: Starts | undefined,
  rates: readonly RateStep[] | undefined,
  classes?: Parts,
): Parts[] {
  if (!starts && !rates && !classes) return [];
  const once = partly ? [] : [{ set: [], add: [], conditions: [NOT_YET], values: { ':first': first } }];
  return [...once, ...(starts ? [partsOfStarts(starts)] : []), ...(rates ? [partsOfRates(rates)] : []), ...(classes ? [classes] : [])];
}

export function partsOfStarts({ firsts, retries, within }: Starts): Parts {
  return {
    set: within ? ['wb = :base', 'wn = :next'] : [],
    add: [...(firsts > 0 ? ['f :f'] : []), ...(retries > 0 ? ['r :r'] : [])],
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

/** As `stepped` in core/limits/gcra.ts says it. */
export function partsOfRates(rates: readonly RateStep[]): Parts {
  const parts = rates.map(({ was, now, add, most, seen, part }, n): Parts => {
    // The lane's own rates come first.
    const tat = part ? partTat(part) : (TATS[n] ?? '');
    const [at, plus, limit, old] = [`:now${n}`, `:add${n}`, `:most${n}`, `:tat${n}`];
    switch (was) {
      case 'rested':
        return {
          set: [`${tat} = ${plus}`],
          add: [],
          conditions: [`(attribute_not_exists(${tat}) OR ${tat} <= ${at})`],
          values: { [at]: now, [plus]: now + add },
        };
      case 'busy':
        return {
          set: [`${tat} = ${tat} + ${plus}`],
          add: [],
          conditions: [`${tat} > ${at}`, `${tat} <= ${limit}`],
          values: { [at]: now, [plus]: add, [limit]: most },
        };
      case 'stray':
        return { set: [`${tat} = ${plus}`], add: [], conditions: [`${tat} = ${old}`], values: { [plus]: now + add, [old]: seen } };
    }
  });
  const given = rates.flatMap(({ part }) => part ?? []);
  const same: Parts = { set: [], add: [], conditions: [SAME_PARTS], values: { ':parts': textOfRates(given) } };
  return together(given.length > 0 ? [...parts, same] : parts);
}

export function together(parts: readonly Parts[]): Parts {
  return {
    set: parts.flatMap(({ set }) => set),
    add: parts.flatMap(({ add }) => add),
    conditions: parts.flatMap(({ conditions }) => conditions),
    values: Object.assign({}, ...parts.map(({ values }) => values)) as Item,
  };
}

/** The fields of an update of these parts. */
export function updateOf({ set, add, remove = [], conditions, values }: Parts) {
  const clauses = [
    ...(set.length > 0 ? [`SET ${set.join(', ')}`] : []),
    ...(add.length > 0 ? [`ADD ${add.join(', ')}`] : []),
    ...(remove.length > 0 ? [`REMOVE ${remove.join(', ')}`] : []),
  ];
  return {
    UpdateExpression: clauses.join(' '),
    ...(conditions.length > 0 && { ConditionExpression: conditions.join(' AND ') }),
    ExpressionAttributeValues: values,
  };
}
