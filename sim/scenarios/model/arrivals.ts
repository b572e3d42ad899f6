import type { Chance } from '../engine/chance.ts';
import type { Metrics } from '../engine/metrics.ts';
import type { World } from '../engine/world.ts';

/** Whether submissions are accepted. */
export interface Entrance {
  /** @returns how many of the tasks are accepted, and when the others may come again: ms from now, if ever */
  readonly admit: (tenant: number, tasks: number) => { readonly accepted: number; readonly retryAfterMs: number };
}

/** Somebody who submits, as a Poisson process, or at given times. */
export interface Source {
  readonly name: string;
  /** Submissions a second. */
  readonly perSecond: (now: number) => number;
  /** The most that `perSecond` ever says. */
  readonly most: number;
  readonly tenant: (chance: Chance) => number;
  /** ms that a task's attempt takes when nothing is slow. */
  readonly workMs: (chance: Chance) => number;
  /** Index in `PRIORITIES`. @default 1: normal */
  readonly priority?: (chance: Chance) => number;
  /** Tasks of one submission, up to ten of which are in one message. @default 1 */
  readonly tasks?: number;
  /** ms after which a task is not worth starting. @default never */
  readonly expiresAfterMs?: number;
  /** How often a refused submission comes again, after the time that the refusal says. @default 0 */
  readonly comesAgain?: number;
  /** ms: submissions come then, and at no other time. */
  readonly at?: readonly number[];
  /** ms */
  readonly from?: number;
  readonly until?: number;
}

const MESSAGE = 10;

/** Lets a source submit. A message is its first task; the others that it names are linked as siblings. */
export function arrivals(world: World, metrics: Metrics, source: Source, submit: (task: number) => void, entrance?: Entrance): void {
  const chance = world.chance(`arrivals of ${source.name}`);
  const { from = 0, until = Infinity, tasks: size = 1, comesAgain = 0, expiresAfterMs = Infinity } = source;
  const refused: { tenant: number; tasks: number; left: number }[] = [];
  const free: number[] = [];

  const offer = (tenant: number, count: number, again: number): void => {
    const answer = entrance?.admit(tenant, count) ?? { accepted: count, retryAfterMs: 0 };
    accept(tenant, answer.accepted);
    const left = count - answer.accepted;
    if (left === 0) return;
    const group = metrics.groups[metrics.tenantGroup(tenant)]!;
    group.refused += left;
    metrics.refusedOf[tenant]! += left;
    if (again === 0) return;
    const index = free.pop() ?? refused.length;
    refused[index] = { tenant, tasks: left, left: again - 1 };
    comeAgain(world.now + answer.retryAfterMs, index);
  };
  const accept = (tenant: number, count: number): void => {
    let head = -1;
    let last = -1;
    for (let n = 0; n < count; n++) {
      const { tasks, now } = world;
      const task = tasks.add(tenant, now, source.workMs(chance), source.priority?.(chance) ?? 1);
      if (expiresAfterMs !== Infinity) tasks.expires[task] = now + expiresAfterMs;
      if (n % MESSAGE === 0) {
        if (head >= 0) submit(head);
        head = task;
      } else tasks.sibling[last] = task;
      last = task;
    }
    if (head >= 0) submit(head);
  };
  const comeAgain = world.on((index) => {
    const { tenant, tasks, left } = refused[index]!;
    free.push(index);
    offer(tenant, tasks, left);
  });
  const come = (): void => {
    const tenant = source.tenant(chance);
    metrics.groups[metrics.tenantGroup(tenant)]!.submitted += size;
    metrics.submittedOf[tenant]! += size;
    offer(tenant, size, comesAgain);
  };
  if (source.at) {
    const then = world.on(come);
    for (const at of source.at) then(at);
    return;
  }
  const next = world.on(() => {
    const { now } = world;
    if (now >= until) return;
    next(now + chance.exponential(1000 / source.most));
    // Thinning (Lewis and Shedler 1979).
    if (chance.fraction() * source.most >= source.perSecond(now)) return;
    come();
  });
  next(from + chance.exponential(1000 / source.most));
}
