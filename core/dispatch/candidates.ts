import { PRIORITIES, type HintedTask, type Priority } from '@sluice/contracts';
import type { Lane, Place } from '../ports/permit-store.ts';
import { rankOf } from '../priority/reserve.ts';
import { depthOf, takeTurns, type Round } from '../priority/turns.ts';
import type { DispatchDeps, Work } from './work.ts';

export interface Candidates {
  /** What the lane is to start next, in the order of its turns. */
  readonly works: readonly Work[];
  /** Places that were found empty. */
  readonly empty: readonly Place[];
}

/**
 * What a lane is to start next out of its backlog: by class and time, but for the turns that are a lower class's own. One query
 * for each place as a rule; one more for a class that has a turn in this round and was not reached, so that the first `low` is
 * found without reading all of `high`.
 * @param room how many of each place may start; a place that is not named is not looked into
 * @param waits classes that wait for permits, as the lane's cells know it
 */
export async function candidates(
  deps: DispatchDeps,
  lane: Lane,
  round: Round,
  room: Readonly<Partial<Record<Place, number>>>,
  waits: readonly Priority[],
): Promise<Candidates> {
  const places = (['permits', 'budget'] as const).filter((place) => (room[place] ?? 0) > 0);
  const found = await Promise.all(
    places.map((place) => firstOf(deps, lane, { ...round, room: room[place] ?? 0 }, place, place === 'budget' ? PRIORITIES : waits)),
  );
  const works = found.flatMap((tasks, i) => tasks.map(workOf(lane, places[i] ?? 'permits')));
  const chosen = takeTurns(
    works.map((work) => ({ work, priority: work.task.priority, at: work.task.at })),
    round,
  );
  return {
    works: chosen.map(({ waiting, own }) => (own ? { ...waiting.work, own } : waiting.work)),
    empty: places.filter((_, i) => found[i]?.length === 0),
  };
}

async function firstOf(
  { backlog }: DispatchDeps,
  lane: Lane,
  { turn, room }: Round,
  place: Place,
  waits: readonly Priority[],
): Promise<readonly HintedTask[]> {
  const first = await backlog.first(lane, room, place);
  const last = first.at(-1);
  // Read to its end.
  if (!last || first.length < room) return first;
  const more = (['normal', 'low'] as const).filter((each) => waits.includes(each) && rankOf(each) > rankOf(last.priority));
  const others = await Promise.all(
    more.map(async (priority) => {
      const depth = depthOf(priority, turn, room);
      return depth > 0 ? backlog.first(lane, depth, place, priority) : [];
    }),
  );
  // The first of `normal` may be the first of `low` where there is no `normal`.
  return [...new Map([...first, ...others.flat()].map((task) => [`${task.uid}#${task.seq}#${task.at}`, task])).values()];
}

/** A hint of a lane's backlog. What waits for budget is looked at first: one that was cancelled takes none. */
export function workOf({ tenant }: Lane, place: Place) {
  return (task: HintedTask): Work => ({ tenant, task, source: 'backlog', place, blind: place !== 'budget' });
}
