import { PRIORITIES, type StarvationBounds } from '@sluice/contracts';
import { DEFAULT_BOUNDS, depthOf, isForOverdue, takeTurns } from '../../../core/priority/turns.ts';
import { NONE } from '../engine/tasks.ts';
import type { World } from '../engine/world.ts';
import type { Lane } from './lanes.ts';

export interface Picked {
  readonly task: number;
  /** It is its class's own turn. */
  readonly own: boolean;
  /** It is a turn of what is overdue. */
  readonly overdue: boolean;
}

interface Picking {
  readonly room: number;
  readonly bounds?: StarvationBounds | undefined;
  /** Drops a task that was not started in time. */
  readonly isOver: (task: number) => boolean;
}

/** Takes what is to start next out of a lane's backlog. */
export function pick({ tasks, now }: World, lane: Lane, { room, bounds = DEFAULT_BOUNDS, isOver }: Picking): readonly Picked[] {
  const next = (rank: number): number => {
    const list = lane.waiting[rank]!;
    for (;;) {
      const task = list.shift();
      if (task === NONE || !isOver(task)) return task;
    }
  };
  const taken: { task: number; priority: (typeof PRIORITIES)[number]; at: number }[] = [];
  PRIORITIES.forEach((priority, rank) => {
    const depth = rank === 0 ? room : Math.max(depthOf(priority as 'normal' | 'low', lane.turn, room), room - taken.length);
    for (let n = 0; n < depth; n++) {
      const task = next(rank);
      if (task === NONE) break;
      taken.push({ task, priority, at: tasks.accepted[task]! });
    }
  });
  const chosen = takeTurns(taken, { turn: lane.turn, room, now, bounds });
  const used = new Set(chosen.map(({ waiting }) => waiting.task));
  for (const { task } of taken.reverse()) if (!used.has(task)) lane.waiting[tasks.priority[task]!]!.unshift(task);
  return chosen.map(({ waiting: { task }, own }, n) => ({ task, own: own === true, overdue: own === true && isForOverdue(lane.turn + n) }));
}
