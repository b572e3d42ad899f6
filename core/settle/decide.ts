import {
  LIMITS,
  type Again,
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
import type { CrashAnswer } from '../breakers/decide.ts';
import { ruled } from '../retry/rules.ts';
import { isFresh, isTerminal } from '../tasks/state.ts';

/** Seconds that a task which did not succeed keeps its row and its input, for redrive. */
export const FAILED_RETENTION_SECONDS = 30 * 86_400;

/** Seconds since the epoch until which what is left of a failure is kept. */
export function retainUntil(now: number): number {
  return Math.ceil(now / 1000) + FAILED_RETENTION_SECONDS;
}

/** Delays of tries that are free of charge, where nobody said how long: gentle at first, up to a minute. */
const FREE_BACKOFF = { minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 } as const;

/** Tasks that were excused come back within so long of each other, ms. */
const EXCUSED_SPREAD_MS = 2_000;

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
  /** Of a crash: what the type's breaker says. @default it counts */
  readonly crash?: CrashAnswer | undefined;
}

/** The policy that a task's failures are settled by. */
function policyOf(spec: TaskTypeSpec | undefined, row: TaskRow): RetryPolicy {
  return effectivePolicy(spec?.retry ?? DEFAULT_RETRY, row.retry);
}

/** An outcome as the rules of its task and type take it. */
export function classed(outcome: Outcome, spec: TaskTypeSpec | undefined, row: TaskRow | undefined): Outcome {
  if (!row) return outcome;
  if (outcome.class === 'preempted' && row.state === 'running' && row.preemptAt === undefined) {
    // Free of charge, a handler could go round like that for ever.
    const error = { name: 'NotPreempted', message: 'the handler said that it made room, and nobody had asked it to' };
    return { ...outcome, class: 'retryable', error };
  }
  return ruled(outcome, policyOf(spec, row).rules);
}

/** Whether this is the end of the attempt that runs, and not a copy of it, or one that somebody asked to stop. */
export function endsRun(row: TaskRow | undefined, { uid, fence }: Outcome): row is TaskRow {
  return row?.state === 'running' && row.uid === uid && row.fence === fence && row.cancelAt === undefined;
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
      return retry(input, row, policyOf(spec, row));
    case 'crashed': {
      if (input.crash?.excused)
        return free(
          row,
          again(outcome, 'free', input.crash.notBefore + Math.round(fraction * EXCUSED_SPREAD_MS), { crashes: row.crashes ?? 0 }),
        );
      const crashes = (row.crashes ?? 0) + 1;
      if (crashes < LIMITS.crashes) return retry(input, row, policyOf(spec, row), { crashes });
      return withSet(endOf(input, row, 'failed', 'quarantined'), { crashes });
    }
    case 'throttled': {
      const throttled = row.throttled + 1;
      const asked = outcome.retryAfterMs ?? backoffMs(FREE_BACKOFF, Math.min(throttled, 10), fraction);
      const delay = Math.min(asked, LIMITS.retryAfterSeconds * 1000);
      return free(row, again(outcome, 'free', now + delay, { throttled }));
    }
    case 'preempted':
      return free(row, again(outcome, 'free', now, { preempted: (row.preempted ?? 0) + 1 }));
    case 'undone': {
      const delay = outcome.retryAfterMs ?? backoffMs(FREE_BACKOFF, 0, fraction);
      return free(row, again(outcome, 'free', now + delay, {}));
    }
    case 'impossible':
      return endOf(input, row, 'failed', 'payload_lost');
    case 'lost': {
      const lost = row.lost + 1;
      if (lost >= LIMITS.lostOutcomes) return endOf(input, row, 'failed', 'outcome_unknown');
      return again(outcome, 'retry', now + backoffMs(FREE_BACKOFF, lost, fraction), { lost });
    }
  }
}

function retry(input: SettleInput, row: TaskRow, policy: RetryPolicy, counts: Pick<TaskRow, 'crashes'> = {}): SettleDecision {
  const { now, fraction, outcome } = input;
  const attempts = row.attempts + 1;
  if (attempts >= policy.maxAttempts) return withSet(endOf(input, row, 'failed', 'attempts_exhausted'), counts);
  // Not before what a server asked for, and never sooner than without it.
  const asked = Math.min(outcome.retryAfterMs ?? 0, LIMITS.retryAfterSeconds * 1000);
  const at = now + Math.max(asked, backoffMs(policy, attempts, fraction));
  const age = policy.maxAgeSeconds;
  const since = startOf(row);
  if (age !== undefined && since !== undefined && at > since + age * 1000) {
    return withSet(endOf(input, row, 'failed', 'max_age'), counts);
  }
  return again(outcome, 'retry', at, { ...counts, attempts, ...(since !== row.firstClaimAt && { firstClaimAt: since }) });
}

/** When the first attempt began, later by how long this one was held back: by a full lane, its budget, a breaker or a pause. */
function startOf({ firstClaimAt, run, at }: TaskRow, until = run?.claimedAt): number | undefined {
  if (firstClaimAt === undefined || run === undefined || until === undefined || run.claimedAt <= firstClaimAt) return firstClaimAt;
  return firstClaimAt + Math.max(0, until - at);
}

function withSet(decision: Extract<SettleDecision, { do: 'end' }>, set: RowChange['set']): SettleDecision {
  return { ...decision, change: { ...decision.change, set: { ...decision.change.set, ...set } } };
}

function again(
  outcome: Outcome,
  next: Again,
  at: number,
  counts: Partial<Pick<TaskRow, 'attempts' | 'lost' | 'throttled' | 'crashes' | 'preempted' | 'firstClaimAt'>>,
): Extract<SettleDecision, { do: 'again' }> {
  const set: RowChange['set'] = {
    state: 'waiting',
    at,
    again: next,
    ...counts,
    ...(outcome.error && { error: outcome.error }),
    ...(outcome.startedAt !== undefined && { startedAt: outcome.startedAt }),
  };
  return { do: 'again', at, change: { set } };
}

/** The maximum age counts from the first start that counts, and neither while the task is held nor what was free. */
function free(row: TaskRow, decision: Extract<SettleDecision, { do: 'again' }>): SettleDecision {
  const { change, at } = decision;
  if (isFresh(row)) return { ...decision, change: { ...change, remove: ['firstClaimAt'] } };
  const firstClaimAt = startOf(row, at);
  return firstClaimAt === row.firstClaimAt ? decision : { ...decision, change: { ...change, set: { ...change.set, firstClaimAt } } };
}

/** Classes of attempts whose handler ran and that count. */
const RAN: ReadonlySet<OutcomeClass> = new Set(['succeeded', 'retryable', 'fatal', 'crashed']);

function endOf(input: SettleInput, row: TaskRow, state: TerminalState, reason?: EndReason): Extract<SettleDecision, { do: 'end' }> {
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
