import { PRIORITIES, type Priority } from '@sluice/contracts';
import type { Cell, ClassAsk } from '../../core/ports/permit-store.ts';
import type { Item } from './answers.ts';
import { anyOf, roomFor, type Parts } from './permit-expressions.ts';

/**
 * What a lane cell knows of classes: `ph`, `pn` and `pl` are when permits were last taken for one, in seconds; `wc` are the ranks
 * of those that wait in the backlog; `tn` counts its turns; `pw` attempts are wanted to make room.
 */
const SEEN: Readonly<Record<Priority, string>> = { high: 'ph', normal: 'pn', low: 'pl' };

/** Classes as the numbers of a set. */
export function ranksOf(classes: readonly Priority[]): Set<number> {
  return new Set(classes.map((priority) => PRIORITIES.indexOf(priority)));
}

/** What a write that takes so many more permits notes of their classes, and what it asks for. */
export function partsOfClasses({ seen, now, turns, reserve, behind }: ClassAsk, missing: number): Parts {
  const reserved = reserve && {
    condition: anyOf(roomFor(reserve.limit - missing, ':reserved'), unseen(reserve.for)),
    values: { ':reserved': reserve.limit - missing, ':since': Math.floor(reserve.since / 1000) },
  };
  const queued = behind && {
    condition: anyOf(
      roomFor(behind.limit - missing, ':behind'),
      'attribute_not_exists(raised)',
      'raised <= cleared',
      behind.of.map((_, n) => `NOT contains(wc, :wait${n})`).join(' AND '),
    ),
    values: {
      ':behind': behind.limit - missing,
      ...Object.fromEntries(behind.of.map((each, n) => [`:wait${n}`, PRIORITIES.indexOf(each)])),
    },
  };
  return {
    add: turns === undefined ? [] : ['tn :turns'],
    set: seen.map((priority) => `${SEEN[priority]} = :at`),
    conditions: [reserved, queued].flatMap((each) => each?.condition ?? []),
    values: {
      ...(seen.length > 0 && { ':at': Math.floor(now / 1000) }),
      ...(turns !== undefined && { ':turns': turns }),
      ...reserved?.values,
      ...queued?.values,
    },
  };
}

function unseen(classes: readonly Priority[]): string {
  const each = classes.map((priority) => `attribute_not_exists(${SEEN[priority]}) OR ${SEEN[priority]} < :since`);
  return each.length === 1 ? (each[0] ?? '') : each.map((condition) => `(${condition})`).join(' AND ');
}

export function classesOf(item: Item): Pick<Cell, 'seen' | 'waits' | 'turns' | 'wanted'> {
  const seen = Object.fromEntries(
    PRIORITIES.flatMap((each) => (item[SEEN[each]] === undefined ? [] : [[each, Number(item[SEEN[each]]) * 1000]])),
  );
  const ranks = item['wc'] instanceof Set ? (item['wc'] as Set<unknown>) : new Set();
  return {
    ...(Object.keys(seen).length > 0 && { seen }),
    ...(ranks.size > 0 && { waits: PRIORITIES.filter((_, rank) => [...ranks].some((each) => Number(each) === rank)) }),
    ...(Number(item['pw'] ?? 0) > 0 && { wanted: Number(item['pw']) }),
    ...(item['tn'] !== undefined && { turns: Number(item['tn']) }),
  };
}
