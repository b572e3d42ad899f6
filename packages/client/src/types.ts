import type { Accepted, RetryRequest, Submission, TaskSummary, TaskView, TaskViewState } from '@sluice/contracts';
import type { ApiError, ConnectionError, SchemaMismatchError } from './errors.ts';

/** What a task type takes and gives. */
export interface TaskShape {
  payload?: unknown;
  result?: unknown;
}

/** The shape of a map of task types: keys are their names. */
export type TaskMap<Types> = { [K in keyof Types]: TaskShape };

/** Any type with any payload: what a client without a map of its own accepts. */
export type AnyTasks = Record<string, TaskShape>;

/** All that a submission may say beside its type and payload; see the README for each. */
export type SubmissionOptions = Omit<Submission, 'type' | 'payload'>;

type PayloadOf<Shape extends TaskShape> = undefined extends Shape['payload']
  ? { payload?: Shape['payload'] }
  : { payload: Shape['payload'] };

/** One task to submit, its payload typed by its type. */
export type SubmissionOf<Types extends TaskMap<Types>> = {
  [K in keyof Types & string]: { type: K } & PayloadOf<Types[K]> & SubmissionOptions;
}[keyof Types & string];

/** A task as callers see it; `task.type === 'x'` narrows payload and result. They are typed, not checked at run time. */
export type TaskOf<Types extends TaskMap<Types>> = {
  [K in keyof Types & string]: Omit<TaskView, 'type' | 'payload' | 'result'> & {
    type: K;
    payload?: Types[K]['payload'];
    result?: Types[K]['result'];
  };
}[keyof Types & string];

/** A task of a list: without its timeline and values. */
export type TaskSummaryOf<Types extends TaskMap<Types>> = Omit<TaskSummary, 'type'> & { type: keyof Types & string };

/** Options that every call takes. */
export interface CallOptions {
  /** Aborts the call, its repeats and its pauses; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  /** Values to bring along. @default none, which costs less */
  readonly include?: readonly ('payload' | 'result')[] | undefined;
}

export interface WaitOptions extends CallOptions {
  /** Seconds until {@link WaitTimeoutError}, 0 or more. @default 300 */
  readonly timeoutSeconds?: number | undefined;
}

export interface RetryOptions extends CallOptions {
  /** The generation to run again, from the task's `uid`. @default the one that the id stands for when the call begins */
  readonly uid?: string | undefined;
  /** What is to be otherwise: with a `payload` it is a new task of another id. @default the same again */
  readonly as?: RetryRequest | undefined;
}

/** Which tasks to list: all of it must hold. Without anything, all of the last 90 days. */
export interface ListFilter<Types extends TaskMap<Types> = AnyTasks> {
  readonly type?: (keyof Types & string) | undefined;
  readonly state?: TaskViewState | undefined;
  /** Labels that a task must have, up to 10. A key that contains a colon cannot be asked for. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Accepted at or after this time: a date, or ISO 8601 text with its offset. @default 90 days before `to` */
  readonly from?: Date | string | undefined;
  /** Accepted before this time. @default now */
  readonly to?: Date | string | undefined;
  /** Tasks of one page, 1 to 200: how many one call fetches at most, not how many there are in all. @default 50 */
  readonly pageSize?: number | undefined;
}

/** Which page of a list. */
export interface PageFilter<Types extends TaskMap<Types> = AnyTasks> extends ListFilter<Types> {
  /** The `cursor` of the page before, with the same filter. @default the first page */
  readonly cursor?: string | undefined;
}

/** One page of a list, newest first. It may be empty and yet have a cursor: then there may be more. */
export interface TaskPage<Types extends TaskMap<Types> = AnyTasks> {
  readonly tasks: readonly TaskSummaryOf<Types>[];
  /** For the next page; absent on the last. */
  readonly cursor?: string | undefined;
}

/** Why a submission was not accepted. */
export type SubmitError = ApiError | ConnectionError | SchemaMismatchError;

/** The answer to one of many submissions. */
export type SubmitItem =
  | { readonly ok: true; readonly id: string; readonly task: Accepted }
  | { readonly ok: false; readonly id: string; readonly error: SubmitError };

/** How far a {@link SubmitManyOptions.onProgress} is. */
export interface SubmitProgress {
  /** Submissions that have their final answer. */
  readonly done: number;
  readonly accepted: number;
  /** Of the accepted ones, those whose task existed. */
  readonly deduplicated: number;
  readonly failed: number;
}

export interface SubmitManyOptions extends CallOptions {
  /** Calls in flight at once, 1 or more. @default 4 */
  readonly concurrency?: number | undefined;
  /** Tasks of one call, 1 to 500. @default 500, the API's limit */
  readonly chunkTasks?: number | undefined;
  /** Told after each call's answer. */
  readonly onProgress?: ((progress: SubmitProgress) => void) | undefined;
  /**
   * Told the final answer to each submission, in the order in which they end, one after another. `index` is its place in
   * the source, from 0. What it returns is waited for before the next answer is told, and before more is read: a slow
   * one slows the submission. What it throws ends the submission with that error.
   */
  readonly onResult?: ((item: SubmitItem, index: number) => void | Promise<void>) | undefined;
}

/** A submission of many that failed. */
export interface SubmitFailure {
  /** Its place in the source, from 0. */
  readonly index: number;
  /** The id that it was sent with; empty for one that could not be sent and had none. */
  readonly id: string;
  readonly error: SubmitError;
}

export interface SubmitManyResult extends SubmitProgress {
  /** The first failures to be told, 1,000 at most: when `failed` is more, there were others. `onResult` is told all. */
  readonly failures: readonly SubmitFailure[];
}
