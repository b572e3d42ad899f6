import type { Budget } from '../../../core/ports/permit-store.ts';
import { type BudgetRules, claimOf } from '../../../core/retry/budget.ts';
import { TaskList } from '../engine/tasks.ts';
import type { World } from '../engine/world.ts';

interface LaneBudget {
  budget: Budget | undefined;
  /** Retries that wait for it. */
  readonly held: TaskList;
}

/** The retry budgets of lanes, by core/retry, each as of one cell. */
export class RetryBudgets {
  readonly #world: World;
  readonly #rules: BudgetRules;
  readonly #lanes = new Map<number, LaneBudget>();

  constructor(world: World, rules: BudgetRules) {
    this.#world = world;
    this.#rules = rules;
  }

  /** Counts a start. @returns whether there is budget for it; what there is none for is held */
  start(task: number): boolean {
    const { tasks, now } = this.#world;
    const lane = this.#of(tasks.tenant[task]!);
    const { firsts = 0, retries = 0 } = lane.budget ?? {};
    const { base, next, left } = claimOf(lane.budget, this.#rules, 1, now);
    if (tasks.failures[task] === 0) {
      lane.budget = { firsts: firsts + 1, retries, base: lane.budget?.base, next: lane.budget?.next };
      return true;
    }
    if (left === 0) {
      lane.held.push(task);
      return false;
    }
    lane.budget = { firsts, retries: retries + 1, base, next };
    return true;
  }

  /** Takes out what a lane has budget for again. */
  release(tenant: number): readonly number[] {
    const lane = this.#lanes.get(tenant);
    if (!lane || lane.held.size === 0) return [];
    const { left } = claimOf(lane.budget, this.#rules, 1, this.#world.now);
    return Array.from({ length: Math.min(left, lane.held.size) }, () => lane.held.shift());
  }

  #of(tenant: number): LaneBudget {
    let lane = this.#lanes.get(tenant);
    if (!lane) this.#lanes.set(tenant, (lane = { budget: undefined, held: new TaskList(this.#world.tasks) }));
    return lane;
  }
}
