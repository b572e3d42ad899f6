import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { ALWAYS, AT_THE_END } from './checks.ts';
import type { ExploreConfig } from './config.ts';
import { Continuations } from './continuation.ts';
import { keyOf } from './key.ts';
import { stepsOf } from './steps.ts';
import { emptyWorld, T0, type World } from './world.ts';

export interface Violation {
  readonly check: string;
  readonly says: string;
  /** The steps that lead there, one a line. */
  readonly history: readonly string[];
}

export interface Explored {
  readonly config: string;
  readonly states: number;
  readonly transitions: number;
  /** States in which nothing but a fault can happen any more. */
  readonly ends: number;
  /** Steps of the longest shortest history. */
  readonly depth: number;
  /** Places in the production code, and how often it was run to get to them. */
  readonly places: number;
  readonly violations: readonly Violation[];
  readonly complete: boolean;
}

export interface SearchLimits {
  /** States after which it stops. @default none */
  readonly states?: number;
}

/** Virtual time after which a history that goes on counts as one that never ends. */
const HORIZON_MS = 4 * 3_600_000;

/**
 * Visits every state that can be reached, breadth first, so that the history of a violation is the shortest that there is.
 * Stops at the first violation.
 */
export async function explore(config: ExploreConfig, limits: SearchLimits = {}): Promise<Explored> {
  if (config.walks !== undefined) return walk(config, config.walks);
  const code = new Continuations(config.types, config.breaker !== undefined);
  const seen = new Set<string>();
  const parents: number[] = [];
  const chosen: number[] = [];
  const most = limits.states ?? config.states ?? Infinity;
  let transitions = 0;
  let ends = 0;
  let depth = 0;
  let frontier: { world: World; n: number }[] = [];
  const found = (violations: readonly Violation[], complete: boolean): Explored => {
    return { config: config.name, states: seen.size, transitions, ends, depth, places: code.size, violations, complete };
  };
  const visit = (world: World, parent: number, step: number, into: typeof frontier): void => {
    const key = keyOf(world);
    if (seen.has(key)) return;
    seen.add(key);
    into.push({ world, n: parents.length });
    parents.push(parent);
    chosen.push(step);
  };
  const pathTo = (n: number): number[] => {
    const path: number[] = [];
    for (let at = n; (parents[at] ?? -1) >= 0; at = parents[at] ?? -1) path.unshift(chosen[at] ?? 0);
    return path;
  };

  visit(emptyWorld(config.clients.length, config.breaker), -1, 0, frontier);
  for (const said of config.script ?? []) {
    const at = frontier.at(-1);
    if (!at) break;
    const steps = stepsOf(config, code, at.world);
    const i = steps.findIndex((step) => step.label().includes(said));
    const step = steps[i];
    if (!step) throw new Error(`the script of ${config.name} wants "${said}"; there is: ${steps.map((s) => s.label()).join(' | ')}`);
    frontier = [];
    visit(await step.take(), at.n, i, frontier);
  }
  while (frontier.length > 0) {
    const next: typeof frontier = [];
    for (const { world, n } of frontier) {
      const steps = stepsOf(config, code, world);
      const over = steps.every((step) => step.fault);
      if (over) ends += 1;
      const wrong = check(world, over, config);
      if (wrong) return found([{ ...wrong, history: await historyOf(config, pathTo(n)) }], false);
      for (const [i, step] of steps.entries()) {
        const taken = step.take();
        visit(taken instanceof Promise ? await taken : taken, n, i, next);
      }
      transitions += steps.length;
      if (seen.size >= most) return found([], false);
    }
    frontier = next;
    if (next.length > 0) depth += 1;
  }
  return found([], true);
}

/** Goes through a large world along some histories drawn by chance. What it finds is not the shortest history, but one. */
async function walk(config: ExploreConfig, walks: number): Promise<Explored> {
  const code = new Continuations(config.types, config.breaker !== undefined);
  const random = createMemoryRandom(1);
  const seen = new Set<string>();
  let transitions = 0;
  let ends = 0;
  let depth = 0;
  const found = (violations: readonly Violation[]): Explored => {
    return { config: config.name, states: seen.size, transitions, ends, depth, places: code.size, violations, complete: false };
  };
  for (let n = 0; n < walks; n++) {
    let world = emptyWorld(config.clients.length, config.breaker);
    const path: number[] = [];
    for (;;) {
      seen.add(keyOf(world));
      const steps = stepsOf(config, code, world);
      const over = steps.every((step) => step.fault);
      const wrong = check(world, over, config);
      if (wrong) return found([{ ...wrong, history: await historyOf(config, path) }]);
      if (over) break;
      // A fault is as likely as any other step, which is often enough.
      const i = Math.floor(random.fraction() * steps.length);
      const taken = steps[i]?.take();
      if (!taken) break;
      path.push(i);
      transitions += 1;
      world = taken instanceof Promise ? await taken : taken;
    }
    ends += 1;
    depth = Math.max(depth, path.length);
  }
  return found([]);
}

function check(world: World, over: boolean, config: ExploreConfig): { check: string; says: string } | undefined {
  for (const [name, always] of Object.entries(ALWAYS)) {
    const says = always(world, config);
    if (says !== undefined) return { check: name, says };
  }
  if (world.now > T0 + HORIZON_MS) return { check: 'NotStuck', says: 'it goes on for hours' };
  for (const [name, atTheEnd] of over ? Object.entries(AT_THE_END) : []) {
    const says = atTheEnd(world, config);
    if (says !== undefined) return { check: name, says };
  }
  return undefined;
}

/** Walks a path again, and tells it. */
export async function historyOf(config: ExploreConfig, path: readonly number[]): Promise<string[]> {
  const code = new Continuations(config.types, config.breaker !== undefined);
  let world = emptyWorld(config.clients.length, config.breaker);
  const lines: string[] = [];
  for (const n of path) {
    const step = stepsOf(config, code, world)[n];
    if (!step) throw new Error(`there is no step ${n} after: ${lines.at(-1)}`);
    const before = world;
    world = await step.take();
    lines.push(`${`${(before.now - T0) / 1000}`.padStart(8)} s  ${step.label()}${cameOf(before, world)}`);
  }
  return lines;
}

/** What a step did to rows. */
function cameOf(before: World, after: World): string {
  const rows = after.rows.filter((row) => !before.rows.includes(row));
  return rows.map((row) => `   => ${row.id} ${row.state}, seq ${row.seq}${row.cancelAt === undefined ? '' : ', to stop'}`).join('');
}
