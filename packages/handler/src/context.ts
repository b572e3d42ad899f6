import type { TaskLog } from './logger.ts';

/** What a handler knows of its attempt. */
export interface TaskContext {
  /** The task's id. */
  readonly task: string;
  readonly tenant: string;
  /**
   * The generation of the id, a ULID: the same for every attempt of a task, another when an id that was freed by a
   * failure is submitted again. The key for making effects idempotent.
   */
  readonly uid: string;
  readonly type: string;
  /** Handler runs so far, this one counted; the first is 1. Throttled and lost runs are not counted. */
  readonly attempt: number;
  /**
   * Grows with every claim of the task. A store that refuses a write with a lower fence than the one it has seen is
   * safe against an attempt that outlived its time.
   */
  readonly fence: number;
  /** When the attempt is ended by force: the platform's deadline or Lambda's, whichever is earlier. */
  readonly deadline: Date;
  /** Milliseconds until {@link deadline}, never below 0. */
  readonly remainingMs: () => number;
  /**
   * Aborts shortly before {@link deadline} (2 s, or a tenth of the time that the attempt had at its start if that is
   * less), and some seconds after the task was cancelled; its `reason` says which: a `DeadlineError`, a
   * `CancelledError`, a `PreemptedError` when the attempt is to make room, or a `SupersededError` when the outcome is no longer wanted. Hand it to `fetch`, SDK calls and
   * timers: what they throw then is retryable, or ends a cancelled task. What `run` returns all the same is a success.
   */
  readonly signal: AbortSignal;
  /**
   * Keeps how far the attempt has come: anything that JSON can say, up to 8 KB. The latest goes along with whatever the
   * attempt ends with but a success, and the task's next attempt finds it in {@link lastCheckpoint}. An attempt that ends
   * without an answer (a time-out, an exit) leaves nothing.
   *
   * Where the attempt was asked to make room for a task of a higher class, it throws the `PreemptedError` that is the
   * reason of {@link signal}, once the data is kept: let it pass. The attempt is then free of charge.
   *
   * @throws FatalError for what JSON cannot say, and for what is larger
   */
  readonly checkpoint: (data: unknown) => void;
  /** What an earlier attempt of this task kept last; `undefined` for a first one, and for one that goes on from nowhere. */
  readonly lastCheckpoint: unknown;
  /** Writes JSON lines that carry task, tenant, uid, type, attempt and fence. */
  readonly log: TaskLog;
}

/** What the kit reads of the second argument that Lambda gives a handler. */
export interface InvocationContext {
  /** Milliseconds until Lambda ends the invocation. */
  getRemainingTimeInMillis(): number;
  readonly awsRequestId?: string;
}

/** The reason of {@link TaskContext.signal} at the end of the attempt's time. */
export class DeadlineError extends Error {
  override name = 'DeadlineError';
}

/** Milliseconds between the abort and the deadline, at most. */
const MAX_GRACE_MS = 2_000;
const GRACE_SHARE = 0.1;
/** A longer timer of Node's overflows and fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds that {@link TaskContext.signal} comes before the end of an attempt that has `remainingMs` left. */
export function graceMs(remainingMs: number): number {
  return Math.min(MAX_GRACE_MS, Math.max(0, remainingMs) * GRACE_SHARE);
}

export interface DeadlineClock {
  readonly signal: AbortSignal;
  /** Aborts the signal before its time. */
  readonly abort: (reason: Error) => void;
  /** Takes the timer back; an environment that Lambda freezes must not wake up to an old one. */
  stop(): void;
}

/** Starts the clock of one attempt. @param deadline ms since the epoch */
export function startDeadlineClock(deadline: number, now: number): DeadlineClock {
  const controller = new AbortController();
  const abort = () => controller.abort(new DeadlineError(`the attempt's time ends at ${new Date(deadline).toISOString()}`));
  const remaining = deadline - now;
  const timer = setTimeout(abort, Math.min(MAX_TIMER_MS, Math.max(0, remaining - graceMs(remaining))));
  timer.unref();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), stop: () => clearTimeout(timer) };
}
