import type { Envelope, StartMode, TaskTypeSpec } from '@sluice/contracts';

/** A handler's answer, as Lambda gives it: the same for a synchronous reply and for a destination's record. */
export interface HandlerAnswer {
  /** Set when the function failed: `Handled`, `Unhandled` or another value of Lambda's. */
  readonly functionError?: string | undefined;
  /** The parsed JSON of the response. */
  readonly payload: unknown;
  /** Lambda's id of the invocation, where it tells it. */
  readonly requestId?: string | undefined;
}

export type StartResult =
  /** The attempt runs; its outcome comes as a record. */
  | { readonly kind: 'started' }
  /** The attempt ran and this is its answer. */
  | { readonly kind: 'answered'; readonly answer: HandlerAnswer }
  /** It certainly did not run: throttled, or there is no such handler (any more), or we may not call it. */
  | { readonly kind: 'refused'; readonly why: 'throttled' | 'missing'; readonly message: string }
  /** It may or may not run: left to its lease. */
  | { readonly kind: 'unknown'; readonly message: string };

/** Starts attempts. Never throws and never repeats a call whose answer is unknown. */
export interface Starter {
  readonly start: (spec: TaskTypeSpec, mode: StartMode, envelope: Envelope) => Promise<StartResult>;
}
