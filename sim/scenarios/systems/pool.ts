import type { Chance } from '../engine/chance.ts';
import type { Metrics } from '../engine/metrics.ts';
import { NONE } from '../engine/tasks.ts';
import type { World } from '../engine/world.ts';
import type { AttemptEnd, System } from '../model/outcome.ts';
import type { Target } from '../model/target.ts';
import { PARAMETERS } from '../parameters.ts';
import type { Discipline } from './disciplines.ts';

const { transitMs, dispatchMs, eventStartMs, settleMs } = PARAMETERS;

export interface PoolRules {
  /** Tasks that are worked on at once; `Infinity` for as many as there are. */
  readonly slots: number;
  /** ms until a task whose attempt did not succeed is tried again; `undefined` when it is given up. */
  readonly again: (task: number, end: AttemptEnd) => number | undefined;
}

/**
 * Workers behind a queue: what a platform without lanes is. A fixed number of tasks is worked on at once, in the order of
 * the discipline. On its way a task spends the same time as in ours.
 */
export class Pool implements System {
  /** Messages that were received, counted as SQS does: each try is one. */
  received = 0;
  waiting = 0;
  readonly #world: World;
  readonly #metrics: Metrics;
  readonly #rules: PoolRules;
  readonly #discipline: Discipline;
  readonly #chance: Chance;
  readonly #arrive: (at: number, task: number) => void;
  readonly #begin: (at: number, task: number) => void;
  readonly #free: (at: number, task: number) => void;
  #busy = 0;

  constructor(world: World, metrics: Metrics, target: () => Target, discipline: Discipline, rules: PoolRules) {
    this.#world = world;
    this.#metrics = metrics;
    this.#rules = rules;
    this.#chance = world.chance('transit');
    this.#discipline = discipline;
    this.#arrive = world.on((task) => {
      this.waiting += 1;
      this.#discipline.add(task);
      this.#pump();
    });
    this.#begin = world.on((task) => target().begin(task));
    this.#free = world.on((task) => {
      this.#busy -= 1;
      this.#discipline.ended(task);
      if (world.tasks.place[task] === ENDED) world.tasks.remove(task);
      this.#pump();
    });
  }

  /** Tasks of one message are queued one by one. */
  readonly submit = (message: number): void => {
    const { now, tasks } = this.#world;
    for (let task = message; task !== NONE; task = tasks.sibling[task]!) this.#arrive(now + this.#transit(), task);
  };

  readonly ended = (task: number, end: AttemptEnd): void => {
    const { now, tasks } = this.#world;
    const again = end === 'succeeded' ? undefined : this.#rules.again(task, end);
    if (end !== 'succeeded' && again === undefined) this.#metrics.groupOf(task).dead += 1;
    // The slot is free when the end is settled, and before the task comes again.
    if (again === undefined) tasks.place[task] = ENDED;
    this.#free(now + settleMs, task);
    if (again !== undefined) this.#arrive(now + settleMs + again, task);
  };

  #transit(): number {
    return transitMs.least + this.#chance.exponential(transitMs.more);
  }

  #pump(): void {
    while (this.#busy < this.#rules.slots) {
      const task = this.#discipline.take();
      if (task === NONE) return;
      this.waiting -= 1;
      this.received += 1;
      this.#busy += 1;
      this.#begin(this.#world.now + dispatchMs + eventStartMs, task);
    }
  }
}

const ENDED = -2;

/** A pool for each of n parts of the workers; a tenant is hashed to one. */
export function hashed(parts: readonly Pool[], partOf: (tenant: number) => number, tenantOf: (task: number) => number): System {
  const of = (task: number): Pool => parts[partOf(tenantOf(task))]!;
  return { submit: (task) => of(task).submit(task), ended: (task, end) => of(task).ended(task, end) };
}
