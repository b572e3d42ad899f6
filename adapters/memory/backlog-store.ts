import { PRIORITIES, type HintedTask } from '@sluice/contracts';
import type { BacklogLane, BacklogStore } from '../../core/ports/backlog-store.ts';
import type { Lane, Place } from '../../core/ports/permit-store.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

interface Backlog {
  /** Sorted, so that the first ones of a long backlog cost no more than those of a short one. */
  readonly keys: string[];
  readonly tasks: Map<string, HintedTask>;
}

const PLACES: readonly Place[] = ['permits', 'budget'];

/** Backlogs in maps, two for each lane. */
export function createMemoryBacklogStore(): BacklogStore {
  const backlogs = new Map<string, Backlog>();
  const noted = new Map<string, BacklogLane>();
  const backlogOf = (lane: Lane, place: Place = 'permits'): Backlog => {
    const name = `${laneKey(lane)}#${place}`;
    const found = backlogs.get(name) ?? { keys: [], tasks: new Map<string, HintedTask>() };
    backlogs.set(name, found);
    return found;
  };

  return {
    put: async (lane, tasks, place) => {
      const backlog = backlogOf(lane, place);
      for (const task of tasks) {
        const key = keyOf(task);
        if (!backlog.tasks.has(key)) backlog.keys.splice(placeOf(backlog.keys, key), 0, key);
        backlog.tasks.set(key, structuredClone(task));
      }
    },
    first: async (lane, limit, place, from = 'high') => {
      const { keys, tasks } = backlogOf(lane, place);
      const begin = placeOf(keys, `${PRIORITIES.indexOf(from)}#`);
      return keys.slice(begin, begin + limit).flatMap((key) => structuredClone(tasks.get(key)) ?? []);
    },
    remove: async (lane, tasks, place) => {
      const backlog = backlogOf(lane, place);
      for (const task of tasks) {
        const key = keyOf(task);
        if (backlog.tasks.delete(key)) backlog.keys.splice(placeOf(backlog.keys, key), 1);
      }
    },
    has: async (lane, task) => PLACES.some((place) => backlogOf(lane, place).tasks.has(keyOf(task))),
    measure: async (lane, atMost, from) => {
      const places = PLACES.map((place) => backlogOf(lane, place));
      // Those of the second place come behind those of the first.
      const keys = places.flatMap((backlog, n) => backlog.keys.map((key) => `${n}${key}`));
      const begin = from === undefined ? 0 : placeOf(keys, `${from}!`);
      const count = Math.min(keys.length - begin, atMost);
      const more = keys.length - begin > atMost;
      const ats = from === undefined ? places.flatMap(({ tasks }) => [...tasks.values()].map(({ at }) => at)) : [];
      return {
        count,
        more,
        oldestAt: ats.length > 0 ? ats.reduce((a, b) => Math.min(a, b)) : undefined,
        ...(more && { next: keys[begin + count - 1] ?? from ?? '' }),
      };
    },
    register: async (lane, now) => {
      const before = noted.get(laneKey(lane));
      // Two notes are never equal, so that taking the first away leaves the second.
      noted.set(laneKey(lane), { lane: structuredClone(lane), at: before ? Math.max(now, before.at + 1) : now });
    },
    lanes: async () => structuredClone([...noted.values()]),
    unregister: async ({ lane, at }) => {
      if (noted.get(laneKey(lane))?.at === at) noted.delete(laneKey(lane));
    },
  };
}

export function keyOf(task: HintedTask): string {
  const at = String(task.at).padStart(15, '0');
  const seq = String(task.seq).padStart(10, '0');
  return `${PRIORITIES.indexOf(task.priority)}#${at}#${task.uid}#${seq}`;
}

/** The place of the first key that is not lower. */
function placeOf(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
