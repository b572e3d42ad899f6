import type { Breaker, TaskTypeSpec } from '@sluice/contracts';

/** Whose tasks they are. */
export const TENANT = 'a';

export interface SubmittedTask {
  readonly id: string;
  readonly type: string;
  readonly delaySeconds?: number;
  /** Seconds from the start of all. */
  readonly expiresSeconds?: number;
}

/** One call of a client. `once` says when it may be made; later than that at any time. */
export type ClientCall = { readonly once?: 'accepted' | 'ended' } & (
  | { readonly call: 'submit'; readonly tasks: readonly SubmittedTask[] }
  | { readonly call: 'cancel'; readonly id: string }
  | { readonly call: 'retry'; readonly id: string }
);

/** What may go wrong, each once for each fault that there is. */
export const FAULT_KINDS = ['crash', 'slow', 'again', 'late', 'fail', 'ambiguous', 'vanish', 'twice'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How a handler's run may end. */
export type RunEnding = 'ok' | 'err' | 'throttled' | 'crash';

/** A question: all histories of a small world. */
export interface ExploreConfig {
  readonly name: string;
  readonly what: string;
  readonly types: readonly TaskTypeSpec[];
  /** The calls of each client, in order. */
  readonly clients: readonly (readonly ClientCall[])[];
  /** Invocations of dispatch, settle and the tick at once. */
  readonly workers: number;
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** Throttles, in all: definite refusals and throttled outcomes. */
  readonly throttles: number;
  readonly endings: readonly Exclude<RunEnding, 'throttled' | 'crash'>[];
  /** The breaker of the type, not closed, as it is at first. @default there are no breakers */
  readonly breaker?: Breaker;
  /** Runs, in all, whose process dies. @default 0 */
  readonly crashes?: number;
  /** Lambda ends no invocation, however long it takes: what a host without time limits might do. @default false */
  readonly endless?: boolean;
  /** Hints that may act on a waiting row at once are bounded: one, and one more for each fault. @default false */
  readonly chains?: boolean;
  /** States after which the search of this question stops. @default none */
  readonly states?: number;
  /** Too large to visit: so many histories are drawn by chance instead, the same each time. @default all are visited */
  readonly walks?: number;
  /** The first steps of each history, by what their labels hold: a question that would be too large without. */
  readonly script?: readonly string[];
}
