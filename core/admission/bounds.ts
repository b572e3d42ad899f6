/** What one tenant may submit; a bound that is absent does not bound. */
export interface AdmissionBounds {
  /** Tasks a second, above 0. */
  readonly rate?: number | undefined;
  /** Tasks that may come at once beyond the rate, 1 or more. @default what the rate gives in 5 seconds, at least 10 */
  readonly burst?: number | undefined;
  /** Tasks that may wait for permits, over all types. */
  readonly backlog?: number | undefined;
  /** Seconds that the oldest of them may have waited. */
  readonly maxAgeSeconds?: number | undefined;
  /** Its part of a pressed system, against that of others; above 0. @default 1 */
  readonly weight?: number | undefined;
}

export function burstOf({ rate = 0, burst = Math.max(10, 5 * rate) }: AdmissionBounds): number {
  return Math.max(1, burst);
}

/**
 * How many of some tasks that come together conform to a rate, and the state afterwards: the generic cell rate algorithm
 * (ITU-T I.371, virtual scheduling) for several cells at once. In any time t at most burst + rate · t conform.
 *
 * @param tat ms: the theoretical arrival time; `undefined` where nothing came yet
 */
export function conforming(
  tat: number | undefined,
  now: number,
  { rate, burst }: { readonly rate: number; readonly burst: number },
  wanted: number,
): { readonly admitted: number; readonly tat: number; /** ms until one more conforms. */ readonly waitMs: number } {
  const each = 1000 / rate;
  const from = Math.max(now, tat ?? now);
  // A last bit of rounding must not cost a whole task.
  const room = Math.floor((now + burst * each - from) / each + 1e-9);
  const admitted = Math.min(wanted, Math.max(0, room));
  const after = from + admitted * each;
  return { admitted, tat: after, waitMs: Math.max(0, after + each - (now + burst * each)) };
}

/**
 * The part of a tenant's rate that one environment may use. Alone, or where nothing is known of the others, all of it: then
 * n environments may admit n times the rate until they hear of each other, some 10 seconds later. Once the tenant's
 * offers are merged (X a second, x of them here): while X is within the rate, what is offered here and all that is left
 * over, so that a tenant within its rate is never refused however its calls are spread; beyond it rate · x / X, whose sum is
 * the rate. An x that has changed since shifts refusals between environments until the next merge, not their sum.
 */
export function rateHere(rate: number, here: number, merged: number | undefined): number {
  if (merged === undefined || merged <= 0) return rate;
  const own = Math.min(here, merged);
  if (merged <= rate) return Math.min(rate, own + (rate - merged));
  // New here, it still gets a little, so that it is seen.
  return Math.max(rate * (own / merged), rate / 100);
}

/** How a tenant's waiting tasks were measured. */
export interface Waiting {
  readonly tasks: number;
  readonly oldestSeconds: number;
  /** Tasks a second that start; 0 where none does. */
  readonly drained: number;
  /** Tasks a second that are submitted, refused ones included. */
  readonly offered: number;
}

export interface BoundRefusal {
  readonly code: 'backlog_full' | 'backlog_too_old';
  /** Part of its tasks that is refused, above 0 and at most 1. */
  readonly part: number;
  /** Seconds until there is room, as far as can be told. */
  readonly waitSeconds: number;
}

/** From this part of the bound on less is admitted, so that the backlog comes to rest below it. */
const BRAKE = 0.9;
/** Seconds in which the rest of the room may be filled. */
const FILL_SECONDS = 30;

/**
 * Whether a tenant's backlog is full or too old. Measurements are some seconds apart, so that a bound which only opened and
 * shut would be overrun each time: from 90 % on as much is admitted as starts, and what fills the rest in half a minute.
 * A backlog beyond its bound takes nothing. It is overrun by what is offered between two measurements, at most.
 *
 * Too old: nothing is admitted until the oldest is younger; of a backlog that came evenly, tasks · (1 - bound / oldest)
 * are older, and they are to be worked off first.
 */
export function refusalOf(waiting: Waiting, bounds: AdmissionBounds): BoundRefusal | undefined {
  const { tasks, oldestSeconds, drained, offered } = waiting;
  const { backlog, maxAgeSeconds } = bounds;
  if (maxAgeSeconds !== undefined && oldestSeconds > maxAgeSeconds && tasks > 0) {
    const older = tasks * (1 - maxAgeSeconds / oldestSeconds);
    return { code: 'backlog_too_old', part: 1, waitSeconds: secondsFor(Math.max(1, older), drained) };
  }
  if (backlog === undefined || tasks < BRAKE * backlog) return undefined;
  const room = backlog - tasks;
  const admitted = room <= 0 ? 0 : drained + room / FILL_SECONDS;
  if (admitted >= offered && room > 0) return undefined;
  const part = offered > 0 ? Math.min(1, 1 - admitted / offered) : 1;
  return { code: 'backlog_full', part, waitSeconds: secondsFor(Math.max(1, tasks - BRAKE * backlog), drained) };
}

/** The longest time that a producer is told to wait: a minute's measurements may be better news. Seconds. */
export const MAX_WAIT_SECONDS = 300;

function secondsFor(tasks: number, drained: number): number {
  return drained > 0 ? Math.min(MAX_WAIT_SECONDS, tasks / drained) : MAX_WAIT_SECONDS;
}

/**
 * Seconds of a `Retry-After`: whole, from 1 to 300, and up to a quarter later by chance, so that those who are told the same
 * do not come back together.
 */
export function retryAfterSeconds(seconds: number, fraction: number): number {
  return Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil(seconds * (1 + fraction / 4))));
}
