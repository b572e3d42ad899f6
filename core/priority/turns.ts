import type { Priority, StarvationBounds } from '@sluice/contracts';
import { rankOf } from './reserve.ts';

/** Where a type does not say, seconds. */
export const DEFAULT_BOUNDS: StarvationBounds = { normalSeconds: 300, lowSeconds: 1_800 };

/** Starts out of a backlog come round in turns of so many. */
export const TURNS = 20;

/** Whose turn it is. What has no such task is served by class. */
type Turn = 'by class' | 'normal' | 'low' | 'overdue normal' | 'overdue low';

/**
 * Of 20 starts, two are normal's and one is low's, whatever waits above them: their guaranteed shares. Two more each are for
 * their tasks that are overdue; where only one class has any, it has all four. They are spread, so that none of them waits for
 * more than ten starts.
 */
const WHEEL: readonly Turn[] = Array.from({ length: TURNS }, (_, n): Turn => {
  if (n === 2 || n === 12) return 'normal';
  if (n === 7) return 'low';
  if (n === 4 || n === 14) return 'overdue low';
  return n === 9 || n === 19 ? 'overdue normal' : 'by class';
});

function turnAt(turn: number): Turn {
  return WHEEL[turn % TURNS] ?? 'by class';
}

/** Whether it is a turn of what is overdue. */
export function isForOverdue(turn: number): boolean {
  return turnAt(turn).startsWith('overdue');
}

/** Turns of twenty that are sure to be a class's while its tasks are overdue. */
export const SURE_TURNS = { normal: 4, low: 3 } as const;

/** Half of the bound: the other half is for the starts that it then takes. */
export function isOverdue(priority: Priority, at: number, now: number, bounds: StarvationBounds): boolean {
  return priority !== 'high' && now - at >= overdueMs(priority, bounds);
}

function overdueMs(priority: 'normal' | 'low', { normalSeconds, lowSeconds }: StarvationBounds): number {
  return (1000 * (priority === 'normal' ? normalSeconds : lowSeconds)) / 2;
}

/**
 * The longest that a task waits, ms, however much waits above it: with m tasks of its class overdue in front of it, itself
 * counted, and μ starts a second out of the lane's backlog,
 *
 *   wait ≤ bound / 2 + (20 ⌈m / k⌉) / μ,  k = 4 for `normal`, 3 for `low`.
 *
 * For it waits half its bound before it is overdue; from then on at least k of any 20 starts are its class's, the oldest first.
 * So no task waits for longer than its bound as long as m ≤ k ⌊μ × bound / 40⌋: as long as its class asks for no more of the
 * lane than its share.
 */
export function longestWaitMs(priority: 'normal' | 'low', bounds: StarvationBounds, overdue: number, startsPerSecond: number): number {
  const turns = TURNS * Math.ceil(overdue / SURE_TURNS[priority]);
  return overdueMs(priority, bounds) + (1000 * turns) / startsPerSecond;
}

export interface Waiting {
  readonly priority: Priority;
  /** ms: since when it may be served. */
  readonly at: number;
}

export interface Round {
  /** Starts that have been made out of the lane's backlog, ever: which turn is next. */
  readonly turn: number;
  /** How many may start. */
  readonly room: number;
  readonly now: number;
  readonly bounds: StarvationBounds;
}

/** One that is to start. `own`: on its class's own turn, which no reservation for the classes above takes away. */
export interface Chosen<W> {
  readonly waiting: W;
  readonly own: boolean;
}

/**
 * Chooses what starts next of what waits. It is given the first ones of each class: as many as {@link depthOf} says.
 * By class and time, but for the turns that are somebody's own.
 */
export function takeTurns<W extends Waiting>(waiting: readonly W[], { turn, room, now, bounds }: Round): readonly Chosen<W>[] {
  const left = waiting.toSorted((a, b) => rankOf(a.priority) - rankOf(b.priority) || a.at - b.at);
  const picks: Chosen<W>[] = [];
  while (picks.length < room && left.length > 0) {
    const own = ownOf(left, turnAt(turn + picks.length), now, bounds);
    const next = own ?? left[0];
    if (next === undefined) break;
    left.splice(left.indexOf(next), 1);
    picks.push({ waiting: next, own: own !== undefined });
  }
  return picks;
}

function ownOf<W extends Waiting>(left: readonly W[], turn: Turn, now: number, bounds: StarvationBounds): W | undefined {
  const first = (priority: Priority) => left.find((each) => each.priority === priority);
  const overdue = (priority: Priority) => {
    const oldest = first(priority);
    return oldest && isOverdue(priority, oldest.at, now, bounds) ? oldest : undefined;
  };
  switch (turn) {
    case 'normal':
    case 'low':
      return first(turn);
    case 'overdue normal':
      return overdue('normal') ?? overdue('low');
    case 'overdue low':
      return overdue('low') ?? overdue('normal');
    case 'by class':
      return undefined;
  }
}

/** How many of a class may get turns of its own in a round: so many must be looked at, though others fill the round. */
export function depthOf(priority: 'normal' | 'low', turn: number, room: number): number {
  let depth = 0;
  for (let n = 0; n < room; n++) {
    if (turnAt(turn + n) === priority || isForOverdue(turn + n)) depth += 1;
  }
  return depth;
}
