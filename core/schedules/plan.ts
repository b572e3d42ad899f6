import type { Misfire, Overlap } from '@sluice/contracts';
import type { NextAfter } from './times.ts';

/** ms after its time, and after its jitter, from which on an occurrence is one that was missed. */
export const GRACE_MS = 60_000;
/** Of missed occurrences so many are counted one by one. */
const COUNTED = 10_000;
/** Occurrences that one look decides at most; of more, the newest. */
export const DECIDED = 200;
const DEFAULT_MAX = 10;

export interface PlanInput {
  /** ms: the first occurrence that has not been decided. */
  readonly next: number;
  /** ms: after `next` and those that are owed, occurrences come only after this time. */
  readonly since: number;
  /** ms: those of earlier times, in order. @default none */
  readonly owed?: readonly number[] | undefined;
  readonly nextAfter: NextAfter;
  readonly jitterSeconds: number;
  /** ms that an occurrence is put off by its jitter. */
  readonly jitter: (at: number) => number;
  readonly misfire: Misfire;
  readonly now: number;
}

export interface Plan {
  /** What is to run, the oldest first; whether it does is for the overlap policy to say. */
  readonly run: readonly number[];
  /** What came too late and is left out. */
  readonly missed: { readonly count: number; readonly last: number } | undefined;
  /** The first occurrence that is not due yet. */
  readonly next: number | undefined;
}

/** Which occurrences are due, and which of those that were missed run all the same. */
export function planDue(input: PlanInput): Plan {
  const { now, misfire } = input;
  const due = dueOf(input);
  const onTime = due.at.filter((at) => now - at <= GRACE_MS + input.jitterSeconds * 1000);
  const late = due.at.slice(0, due.at.length - onTime.length);
  const caughtUp = misfire.policy === 'once' && onTime.length > 0 ? 0 : allowedOf(misfire);
  const run = [...(caughtUp > 0 ? late.slice(-caughtUp) : []), ...onTime].slice(-DECIDED);
  const count = due.count - run.length;
  const last = due.at.findLast((at) => at < (run[0] ?? Infinity)) ?? input.next;
  return { run, missed: count > 0 ? { count, last } : undefined, next: due.next };
}

function allowedOf({ policy, max }: Misfire): number {
  if (policy === 'skip') return 0;
  return policy === 'once' ? 1 : (max ?? DEFAULT_MAX);
}

export interface Due {
  /** All of them, or at least the newest. */
  readonly at: readonly number[];
  /** How many; of more than can be counted one by one, so many at least. */
  readonly count: number;
  readonly next: number | undefined;
}

/** Occurrences that have not been decided and whose time has come, their jitter included. */
export function dueOf(input: Pick<PlanInput, 'next' | 'since' | 'owed' | 'nextAfter' | 'jitter' | 'now'>): Due {
  const { since, owed = [], nextAfter, jitter, now } = input;
  const isDue = (at: number) => at + jitter(at) <= now;
  const at: number[] = [];
  let next: number | undefined = input.next;
  while (next !== undefined && isDue(next) && at.length < COUNTED) {
    at.push(next);
    next = firstAfter(owed, next) ?? nextAfter(Math.max(next, since));
  }
  if (next === undefined || !isDue(next)) return { at, count: at.length, next };
  const tail = newestOf(nextAfter, next, now);
  const open = tail.findIndex((one) => !isDue(one));
  const decided = open < 0 ? tail : tail.slice(0, open);
  return { at: decided, count: Math.max(COUNTED, decided.length), next: open < 0 ? nextAfter(now) : tail[open] };
}

function firstAfter(times: readonly number[], after: number): number | undefined {
  return times.find((time) => time > after);
}

/** The newest occurrences up to a time, of more than can be walked: enough of them to decide, found backwards. */
function newestOf(nextAfter: NextAfter, from: number, until: number): number[] {
  for (let width = 60_000; ; width *= 4) {
    const after = Math.max(from - 1, until - width);
    const found: number[] = [];
    for (let at = nextAfter(after); at !== undefined && at <= until; at = nextAfter(at)) found.push(at);
    // An hour of jitter and a minute of grace are in it whole, so that what is not due yet is not all that there is.
    if ((found.length >= DECIDED && width >= 4_000_000) || after < from) return found;
  }
}

export type OverlapDecision = 'submit' | 'skip' | 'wait' | 'replace';

/**
 * What the overlap policy says of an occurrence whose time has come.
 * @param isLive a task of an earlier occurrence has not ended
 * @param isWaiting another occurrence waits already
 */
export function decideOverlap(overlap: Overlap, isLive: boolean, isWaiting: boolean): OverlapDecision {
  if (overlap === 'allow') return 'submit';
  // What waits comes first, even if what it waits for has just ended.
  if (overlap === 'buffer' && isWaiting) return 'skip';
  if (!isLive) return 'submit';
  if (overlap === 'buffer') return 'wait';
  return overlap === 'skip' ? 'skip' : 'replace';
}
