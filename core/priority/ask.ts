import { PRIORITIES, type Priority } from '@sluice/contracts';
import type { Cell, ClassAsk, Demands } from '../ports/permit-store.ts';
import { above, freshLimit, limitOf, rankOf, SEEN_MS } from './reserve.ts';

/** For whom a permit is asked. */
export interface Asker {
  readonly priority: Priority;
  /** It came by a queue, and not out of the backlog. */
  readonly fresh: boolean;
  /** It is its class's own turn: no class above has a reservation against it. */
  readonly own?: boolean;
}

/** The order in which askers of one call are granted: those whose turn it is, then by class. */
export function orderOf({ priority, own }: Asker): number {
  return own === true ? -1 : rankOf(priority);
}

/**
 * What permits for these ask of a cell beside its limit. Granted all or none, they are held to what the last one in their order
 * may fill: those before it may fill at least as much.
 */
export function askOf(askers: readonly Asker[], limit: number, now: number): ClassAsk {
  const last = askers.reduce<Asker | undefined>((a, b) => (a && orderOf(a) > orderOf(b) ? a : b), undefined);
  // Nobody makes room for the lowest.
  const seen = PRIORITIES.slice(0, -1).filter((priority) => askers.some((asker) => asker.priority === priority));
  const turns = askers.filter(({ fresh }) => !fresh).length;
  const ask = { seen, now, ...(turns > 0 && { turns }) };
  if (!last || last.own === true) return ask;
  const { priority } = last;
  const reserved = limitOf(priority, limit);
  return {
    ...ask,
    ...(reserved < limit && { reserve: { for: above(priority), since: now - SEEN_MS, limit: reserved } }),
    ...(last.fresh && { behind: { of: PRIORITIES.filter((each) => each !== priority), limit: freshLimit(priority, limit) } }),
  };
}

/** How many permits a cell may hold once these are granted. */
export function limitUnder(cell: Partial<Cell>, limit: number, { reserve, behind }: Pick<ClassAsk, 'reserve' | 'behind'> = {}): number {
  const isSeen = reserve?.for.some((each) => (cell.seen?.[each] ?? Number.NEGATIVE_INFINITY) >= reserve.since) === true;
  const isQueued = (cell.raised ?? 0) > (cell.cleared ?? 0) && behind?.of.some((each) => cell.waits?.includes(each)) === true;
  return Math.min(limit, isSeen ? reserve.limit : limit, isQueued ? behind.limit : limit);
}

/** The same for one that asks alone. */
export function limitForOne(cell: Partial<Cell>, limit: number, asker: Asker, now: number): number {
  return limitUnder(cell, limit, askOf([asker], limit, now));
}

/** The same with all that a call demands: where lanes are in line for the cell, others may leave them some of it. */
export function limitFor(cell: Partial<Cell>, limit: number, { classes, yields = limit, ahead = 0 }: Demands): number {
  const most = limitUnder(cell, limit, classes);
  return ((cell.line?.length ?? 0) > 0 ? Math.min(most, yields) : most) + ahead;
}
