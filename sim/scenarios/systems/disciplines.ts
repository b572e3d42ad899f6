import { NONE, TaskList, type Tasks } from '../engine/tasks.ts';
import type { World } from '../engine/world.ts';

/** In which order a pool of workers takes tasks. */
export interface Discipline {
  readonly add: (task: number) => void;
  /** The next one, or `NONE`. */
  readonly take: () => number;
  /** What was taken has ended. */
  readonly ended: (task: number) => void;
}

/** One queue, first in, first out. */
export function oneFifo(tasks: Tasks): Discipline {
  const list = new TaskList(tasks);
  return { add: (task) => list.push(task), take: () => list.shift(), ended: () => undefined };
}

/** One queue of all classes: the highest class that has a task, first in, first out within it. */
export function strictPriority(tasks: Tasks): Discipline {
  const lists = [new TaskList(tasks), new TaskList(tasks), new TaskList(tasks)];
  return {
    add: (task) => lists[tasks.priority[task]!]!.push(task),
    take: () => lists.find(({ size }) => size > 0)?.shift() ?? NONE,
    ended: () => undefined,
  };
}

/** A queue for each tenant, visited in turn. */
export function roundRobin(tasks: Tasks): Discipline {
  const lists = new Map<number, TaskList>();
  /** Tenants that have work; each is there once. */
  const ring: number[] = [];
  let at = 0;
  return {
    add: (task) => {
      const tenant = tasks.tenant[task]!;
      let list = lists.get(tenant);
      if (!list) lists.set(tenant, (list = new TaskList(tasks)));
      if (list.size === 0) ring.push(tenant);
      list.push(task);
    },
    take: () => {
      if (ring.length === 0) return NONE;
      if (at >= ring.length) at = 0;
      const list = lists.get(ring[at]!)!;
      const task = list.shift();
      if (list.size > 0) at += 1;
      else {
        // Takes the last one's place: whom it skips has its turn in the next round.
        const last = ring.pop()!;
        if (at < ring.length) ring[at] = last;
      }
      return task;
    },
    ended: () => undefined,
  };
}

/**
 * SQS fair queues, as the SQS Developer Guide says in "How Amazon SQS fair queues work": a tenant with more than 10 % of
 * the messages in flight, and at least 30, or with more than 10 % of the recent processing time is noisy. Quiet tenants'
 * messages come first, then those of the noisy tenant with the fewest in flight. A tenant is quiet again when its backlog
 * is drained. "Recent" is not said: the last minute is assumed.
 */
export function sqsFair(world: World): Discipline {
  const { tasks } = world;
  const quiet = new TaskList(tasks);
  const noisy = new Map<number, TaskList>();
  const inFlight = new Map<number, number>();
  let flying = 0;
  const recent = { spent: new Map<number, number>(), all: 0, until: 0 };

  const forget = (): void => {
    if (world.now < recent.until) return;
    recent.until = world.now + 60_000;
    recent.all /= 2;
    for (const [tenant, ms] of recent.spent) {
      if (ms < 1) recent.spent.delete(tenant);
      else recent.spent.set(tenant, ms / 2);
    }
  };
  const isNoisy = (tenant: number): boolean => {
    const own = inFlight.get(tenant) ?? 0;
    return (own >= 30 && own > 0.1 * flying) || (recent.all > 0 && (recent.spent.get(tenant) ?? 0) > 0.1 * recent.all);
  };
  const fly = (tenant: number, by: number): void => {
    flying += by;
    const own = (inFlight.get(tenant) ?? 0) + by;
    if (own > 0) inFlight.set(tenant, own);
    else inFlight.delete(tenant);
  };
  const fewest = (): TaskList | undefined => {
    let least: { list: TaskList; own: number } | undefined;
    for (const [tenant, list] of noisy) {
      const own = inFlight.get(tenant) ?? 0;
      if (list.size > 0 && (!least || own < least.own)) least = { list, own };
    }
    return least?.list;
  };
  return {
    add: (task) => (noisy.get(tasks.tenant[task]!) ?? quiet).push(task),
    take: () => {
      forget();
      for (;;) {
        const task = quiet.shift();
        if (task === NONE) break;
        const tenant = tasks.tenant[task]!;
        if (!isNoisy(tenant)) {
          fly(tenant, 1);
          return task;
        }
        const list = noisy.get(tenant) ?? new TaskList(tasks);
        noisy.set(tenant, list);
        list.push(task);
      }
      const list = fewest();
      if (!list) return NONE;
      const task = list.shift();
      const tenant = tasks.tenant[task]!;
      if (list.size === 0) noisy.delete(tenant);
      fly(tenant, 1);
      return task;
    },
    ended: (task) => {
      const tenant = tasks.tenant[task]!;
      fly(tenant, -1);
      const ms = tasks.work[task]!;
      recent.all += ms;
      recent.spent.set(tenant, (recent.spent.get(tenant) ?? 0) + ms);
    },
  };
}
