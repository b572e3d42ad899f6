import {
  LIMITS,
  type EndReason,
  type Outcome,
  type OutcomeClass,
  type RetryPolicy,
  type TaskRow,
  type TaskTypeSpec,
  type TerminalState,
} from '@sluice/contracts';
import type { RowChange } from '../ports/task-store.ts';
import { backoffMs, effectivePolicy } from '../retry/backoff.ts';
import { isFresh, isTerminal } from '../tasks/state.ts';

/** Seconds that a task which did not succeed keeps its row and its input, for redrive. */
export const FAILED_RETENTION_SECONDS = 30 * 86_400;

/** Seconds since the epoch until which what is left of a failure is kept. */
export function retainUntil(now: number): number {
  return Math.ceil(now / 1000) + FAILED_RETENTION_SECONDS;
}

/** Delays of tries that are free of charge, where nobody said how long: gentle at first, up to a minute. */
const FREE_BACKOFF = { minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 } as const;

/** Used for a type that is no longer deployed while one of its attempts ends. */
const DEFAULT_RETRY: RetryPolicy = { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 900, factor: 2 };

export type SettleDecision =
  /** An old fence, an old generation, or after the end. `late`: a success among them, to be recorded and told. */
  | { readonly do: 'ignore'; readonly late: boolean }
  /** This outcome, or another of its kind, ended the task before: repeat the permit's release and the event. */
  | { readonly do: 'repeat-end' }
  /** This attempt's failure was settled before: repeat the permit's release; its next hint is durable. */
  | { readonly do: 'repeat-release' }
  | { readonly do: 'end'; readonly change: RowChange }
  | { readonly do: 'again'; readonly at: number; readonly change: RowChange };

export interface SettleInput {
  readonly row: TaskRow | undefined;
  readonly outcome: Outcome;
  /** What brought the outcome: a record on the outcomes queue, or a hint (a reply, a lease that ended). */
  readonly by: 'record' | 'hint';
  readonly spec: TaskTypeSpec | undefined;
  readonly now: number;
  /** Uniform in [0, 1), for jitter. */
  readonly fraction: number;
}

/** Takes an outcome and decides what becomes of its task. */
export function settle(input: SettleInput): SettleDecision {
  const { row, outcome, by } = input;
  const success = outcome.class === 'succeeded';
  if (row === undefined || row.uid !== outcome.uid || row.fence !== outcome.fence) return { do: 'ignore', late: success };
  if (isTerminal(row.state)) {
    if (success && row.state !== 'succeeded') return { do: 'ignore', late: true };
    // What ended it repeats its effects: a record that came again, or a write that was applied and its answer lost, after
    // which the hint goes.
    return by === row.endedBy ? { do: 'repeat-end' } : { do: 'ignore', late: false };
  }
  if (row.state === 'waiting') return success ? endOf(input, row, 'succeeded') : { do: 'repeat-release' };
  return settleRunning(input, row);
}

function settleRunning(input: SettleInput, row: TaskRow): SettleDecision {
  const { outcome, spec, now, fraction } = input;
  // Whoever asked it to stop has what was asked for; only a success comes before that.
  if (row.cancelAt !== undefined && outcome.class !== 'succeeded') return endOf(input, row, 'cancelled', 'cancelled');
  switch (outcome.class) {
    case 'succeeded':
      return endOf(input, row, 'succeeded');
    case 'fatal':
      return endOf(input, row, 'failed', 'fatal');
    case 'retryable':
      return retry(input, row, effectivePolicy(spec?.retry ?? DEFAULT_RETRY, row.retry));
    case 'throttled': {
      const throttled = row.throttled + 1;
      const asked = outcome.retryAfterMs ?? backoffMs(FREE_BACKOFF, Math.min(throttled, 10), fraction);
      const delay = Math.min(asked, LIMITS.retryAfterSeconds * 1000);
      return free(row, again(outcome, now + delay, { throttled }));
    }
    case 'undone': {
      const delay = outcome.retryAfterMs ?? backoffMs(FREE_BACKOFF, 0, fraction);
      return free(row, again(outcome, now + delay, {}));
    }
    case 'impossible':
      return endOf(input, row, 'failed', 'payload_lost');
    case 'lost': {
      const lost = row.lost + 1;
      if (lost >= LIMITS.lostOutcomes) return endOf(input, row, 'failed', 'outcome_unknown');
      return again(outcome, now + backoffMs(FREE_BACKOFF, lost, fraction), { lost });
    }
  }
}

function retry(input: SettleInput, row: TaskRow, policy: RetryPolicy): SettleDecision {
  const { now, fraction, outcome } = input;
  const attempts = row.attempts + 1;
  if (attempts >= policy.maxAttempts) return endOf(input, row, 'failed', 'attempts_exhausted');
  const at = now + backoffMs(policy, attempts, fraction);
  const age = policy.maxAgeSeconds;
  if (age !== undefined && row.firstClaimAt !== undefined && at > row.firstClaimAt + age * 1000) {
    return endOf(input, row, 'failed', 'max_age');
  }
  return again(outcome, at, { attempts });
}

function again(
  outcome: Outcome,
  at: number,
  counts: Partial<Pick<TaskRow, 'attempts' | 'lost' | 'throttled'>>,
): Extract<SettleDecision, { do: 'again' }> {
  const set: RowChange['set'] = {
    state: 'waiting',
    at,
    ...counts,
    ...(outcome.error && { error: outcome.error }),
    ...(outcome.startedAt !== undefined && { startedAt: outcome.startedAt }),
  };
  return { do: 'again', at, change: { set } };
}

/** The maximum age counts from the first start, and not while the task is held. */
function free(row: TaskRow, decision: Extract<SettleDecision, { do: 'again' }>): SettleDecision {
  return isFresh(row) ? { ...decision, change: { ...decision.change, remove: ['firstClaimAt'] } } : decision;
}

/** Classes of attempts whose handler ran and that count. */
const RAN: ReadonlySet<OutcomeClass> = new Set(['succeeded', 'retryable', 'fatal']);

function endOf(input: SettleInput, row: TaskRow, state: TerminalState, reason?: EndReason): SettleDecision {
  const { outcome, by, spec, now } = input;
  const ran = RAN.has(outcome.class);
  // A success may come after its attempt was settled otherwise: counted then as a failure, but not as throttled or lost.
  const attempts = ran ? Math.max(row.attempts + (row.state === 'running' ? 1 : 0), outcome.attempt) : row.attempts;
  // Lost is counted to the end, so that a reader sees why.
  const lost = outcome.class === 'lost' ? row.lost + 1 : undefined;
  return { do: 'end', change: endChange({ outcome, by, spec, now, state, attempts, lost, reason }) };
}

/** The write of a success that is settled without having read the row: on condition that the row's seq is its fence. */
export function blindSuccess(outcome: Outcome, by: 'record' | 'hint', spec: TaskTypeSpec | undefined, now: number): RowChange {
  return endChange({ outcome, by, spec, now, state: 'succeeded', attempts: outcome.attempt, lost: undefined, reason: undefined });
}

interface End {
  readonly outcome: Outcome;
  readonly by: 'record' | 'hint';
  readonly spec: TaskTypeSpec | undefined;
  readonly now: number;
  readonly state: TerminalState;
  readonly attempts: number;
  readonly lost: number | undefined;
  readonly reason: EndReason | undefined;
}

function endChange({ outcome, by, spec, now, state, attempts, lost, reason }: End): RowChange {
  const success = state === 'succeeded';
  const dedup = spec?.dedupWindowSeconds ?? FAILED_RETENTION_SECONDS;
  const keep = success ? dedup : Math.max(dedup, FAILED_RETENTION_SECONDS);
  const set: RowChange['set'] = {
    state,
    endedAt: now,
    endedBy: by,
    attempts,
    ttl: Math.ceil(now / 1000) + keep,
    // With the type a failure finds its place among the dead without a read of the row.
    ...(state === 'failed' && { type: outcome.type }),
    ...(reason && { reason }),
    ...(outcome.startedAt !== undefined && { startedAt: outcome.startedAt }),
    ...(outcome.error && { error: outcome.error }),
    ...(lost !== undefined && { lost }),
  };
  return { set, ...(success && { remove: ['error'] as const }) };
}
