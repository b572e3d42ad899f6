import type { Accepted, Submission, TaskView } from '@sluice/contracts';
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

/** Options that every call takes. */
export interface CallOptions {
  /** Aborts the call, its repeats and its pauses; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface GetOptions extends CallOptions {
  /** Values to bring along. @default none, which costs less */
  readonly include?: readonly ('payload' | 'result')[];
}

export interface WaitOptions extends CallOptions {
  /** Seconds until {@link WaitTimeoutError}. @default 300 */
  readonly timeoutSeconds?: number;
}

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
  /** Calls in flight at once. @default 4 */
  readonly concurrency?: number;
  /** Tasks of one call, at most. @default 500, the API's limit */
  readonly chunkTasks?: number;
  /** Told after each call's answer. */
  readonly onProgress?: (progress: SubmitProgress) => void;
}

/** The answer to one of many submissions. */
export type SubmitItem =
  | { readonly ok: true; readonly id: string; readonly task: Accepted }
  | { readonly ok: false; readonly id: string; readonly error: ApiError | ConnectionError | SchemaMismatchError };

export interface SubmitManyResult extends SubmitProgress {
  /** One for each submission, in their order. */
  readonly results: readonly SubmitItem[];
}
