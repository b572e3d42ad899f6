import { LIMITS, type Envelope, type ScheduleRecord, type TaskRow, type TaskTypeSpec } from '@sluice/contracts';
import type { MemoryMessages } from '../../adapters/memory/messages.ts';
import type { Lane, Permit } from '../../core/ports/permit-store.ts';
import type { ScheduleWrite } from '../../core/ports/schedule-store.ts';
import type { WriteResult } from '../../core/ports/task-store.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { isDivided } from '../../core/limits/lane-rules.ts';
import { entryOfType } from '../../core/permits/entry.ts';
import type { Behaviour } from '../behaviour.ts';
import { CAPACITIES } from '../capacities.ts';
import { createHintIndex } from './hint-index.ts';
import { createRateChecks } from './rates.ts';
import { createRefusalChecks } from './refusals.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

/** ms that clocks are off from each other at most. */
export const SKEW_MS = 4_000;
/** What one lane may have of an entry pool of so little. */
const ENTRY_OF_LANE = 1;

/** What a check found. The kinds are those that a report counts. */
export interface Violation {
  readonly kind: 'lost' | 'doubleSuccess' | 'twoFences' | 'permitLeaks' | 'stuck' | 'flowControl' | 'silence' | 'other';
  readonly what: string;
}

/** A run of a handler that may begin or is alive. */
export interface LiveRun {
  readonly uid: string;
  readonly fence: number;
  readonly nonce: string;
  readonly lane: Lane;
  /** ms: when it is over at the latest. */
  until: number;
}

/** How runs of a generation ended. */
export interface Runs {
  /** Those that count as an attempt. */
  counted: number;
  succeeded: number;
  /** Those whose process ended. */
  crashed: number;
}

export type Checks = ReturnType<typeof createChecks>;

/**
 * What must hold after every step. It hears of every call that was applied, of every run of a handler and of what was
 * accepted, and looks at what the step may have changed.
 */
export function createChecks(
  now: () => number,
  hints: MemoryMessages,
  specsOf: (type: string) => readonly TaskTypeSpec[],
  /** ± ms that clocks are off. */
  skewMs = 0,
) {
  const index = createHintIndex();
  hints.watch(index.watcher);
  const violations: Violation[] = [];
  /** Generations that were accepted. */
  const accepted = new Map<string, { readonly tenant: string; readonly id: string }>();
  /** Rows as they are, by generation. */
  const rows = new Map<string, TaskRow>();
  /** The generation that an id is now. */
  const current = new Map<string, string>();
  const ends = new Map<string, TaskRow>();
  const endedAt = new Map<string, number>();
  const live = new Map<string, LiveRun[]>();
  const byNonce = new Map<string, LiveRun>();
  const runs = new Map<string, Runs>();
  /** Generations that were retried or redriven. */
  const retried = new Set<string>();
  /** Generations whose hints were purged: nothing but the audit finds them. */
  const purged = new Set<string>();
  const states = new Map<string, number>();
  /** When each schedule was written last, by its tenant and name. */
  const scheduledAt = new Map<string, number>();

  const violated = (kind: Violation['kind'], what: string): void => void violations.push({ kind, what });
  const rates = createRateChecks({ now, violated, specOf: (type) => specsOf(type)[0], skewMs });
  const refusals = createRefusalChecks({
    now,
    violated,
    leftOf: (tenant, id) => (current.has(`${tenant}/${id}`) ? 'a row' : index.names(tenant, id) ? 'a hint' : undefined),
  });
  const runsOf = (uid: string): Runs => {
    const known = runs.get(uid) ?? { counted: 0, succeeded: 0, crashed: 0 };
    runs.set(uid, known);
    return known;
  };
  const checkHint = (uid: string, after: string): void => {
    const row = rows.get(uid);
    if (!row || !accepted.has(uid) || purged.has(uid) || index.hasHint(row)) return;
    violated('lost', `after ${after}: no hint for ${nameOf(row)} (${row.state}, seq ${row.seq})`);
  };

  const written = (at: string, row: TaskRow): void => {
    const { uid } = row;
    const key = `${row.tenant}/${row.id}`;
    const before = rows.get(uid);
    const reached = row.cancelAt !== undefined && row.state === 'running' ? 'cancelling' : row.state;
    if (before?.state !== row.state || reached === 'cancelling') states.set(reached, (states.get(reached) ?? 0) + 1);
    if (before && row.seq !== before.seq + 1) violated('other', `${nameOf(row)} went from seq ${before.seq} to ${row.seq}`);
    const end = ends.get(uid);
    if (end) violated(end.state === 'succeeded' ? 'doubleSuccess' : 'other', `${nameOf(row)} was ${end.state}, then ${row.state}`);
    if (!before) {
      const old = current.get(key);
      if (old !== undefined && !ends.has(old)) violated('lost', `${nameOf(row)} took the place of ${old}, which had not ended`);
      if (old !== undefined) rows.delete(old);
      current.set(key, uid);
      if (row.retryOf !== undefined && retried.has(row.retryOf)) violated('other', `${row.retryOf} was retried twice, as ${uid} too`);
      if (row.retryOf !== undefined) retried.add(row.retryOf);
    }
    rows.set(uid, row);
    if (isTerminal(row.state) && !end) {
      ends.set(uid, row);
      endedAt.set(uid, now());
    }
    checkCounts(row, before);
    checkHint(uid, at);
  };

  /** Flow control is free, and nothing ends for a reason that is not so. */
  const checkCounts = (row: TaskRow, before: TaskRow | undefined): void => {
    const { counted, succeeded, crashed } = runsOf(row.uid);
    if (row.attempts > counted) violated('flowControl', `${nameOf(row)} counts ${row.attempts} attempts of ${counted} runs`);
    if (before && row.state === 'waiting' && row.again === 'free' && row.attempts !== before.attempts) {
      violated('flowControl', `${nameOf(row)} waits for nothing, and its attempts went from ${before.attempts} to ${row.attempts}`);
    }
    if ((row.crashes ?? 0) > crashed) violated('flowControl', `${nameOf(row)} counts ${row.crashes} crashes of ${crashed}`);
    if (row.reason === 'quarantined' && row.crashes !== LIMITS.crashes) {
      violated('flowControl', `${nameOf(row)} is quarantined after ${row.crashes ?? 0} crashes`);
    }
    if (row.state === 'succeeded' && succeeded === 0) violated('other', `${nameOf(row)} succeeded without a run`);
    if (row.reason === 'attempts_exhausted' && row.attempts < Math.min(...specsOf(row.type).map((spec) => spec.retry.maxAttempts))) {
      violated('flowControl', `${nameOf(row)} gave up after ${row.attempts} attempts`);
    }
  };

  const released = (lane: Lane, permits: readonly Permit[]): void => {
    for (const { nonce } of permits) {
      const run = byNonce.get(nonce);
      if (run && run.until > now())
        violated('permitLeaks', `the permit ${nonce} of ${laneKey(lane)} was given back while its attempt lives`);
    }
  };

  return {
    violations,
    index,
    rates,
    refusals,
    specsOf,
    accepted,
    rows,
    ends,
    endedAt,
    runs,
    purged,
    states,
    scheduledAt,
    applied: (at: string, args: readonly unknown[], answer: unknown): void => {
      for (const uid of index.applied(at, args, answer)) checkHint(uid, at);
      rates.applied(at, args, answer);
      if (at.startsWith('tasks.')) {
        const { applied, row } = answer as WriteResult;
        if (applied) written(at, row);
      } else if (at === 'permits.acquire') {
        if ((answer as { granted: boolean }).granted) checkCapacities(args[0] as Lane);
      } else if (at === 'permits.release') released(args[0] as Lane, args[2] as readonly Permit[]);
      else if (at === 'schedules.put' && (answer as ScheduleWrite).applied) {
        const { tenant, name } = args[1] as ScheduleRecord;
        scheduledAt.set(`${tenant}/${name}`, now());
      }
    },
    /** A message of the hints is about to be deleted. */
    removing: (messageId: string): (() => void) => {
      const uids = index.namedBy(messageId);
      return () => uids.forEach((uid) => checkHint(uid, `the message ${messageId} was deleted`));
    },
    /** Its caller was told that it is accepted. */
    accept: (tenant: string, id: string, uid: string): void => {
      if (!accepted.has(uid)) accepted.set(uid, { tenant, id });
      if (!rows.has(uid) && !ends.has(uid)) violated('lost', `${tenant}/${id} was accepted without a row`);
      checkHint(uid, 'it was accepted');
    },
    /** An attempt was invoked; its run may begin from now on. */
    invoked: ({ tenant, task, uid, fence, type }: Envelope['sluice'], until: number): LiveRun => {
      const at = now();
      const others = (live.get(uid) ?? []).filter((run) => run.until > at);
      const other = others.find((run) => run.fence !== fence);
      if (other) violated('twoFences', `two live fences of ${tenant}/${task}: ${fence} beside ${other.fence}`);
      const nonce = rows.get(uid)?.run?.nonce ?? '';
      const lane = { tenant, type };
      if (![lane, entryOfType(type)].flatMap(index.permitsIn).some((permit) => permit.nonce === nonce && permit.expiry > at)) {
        violated('permitLeaks', `no permit for ${tenant}/${task} fence ${fence}`);
      }
      const run: LiveRun = { uid, fence, nonce, lane, until };
      live.set(uid, [...others, run]);
      byNonce.set(nonce, run);
      checkLimit(lane);
      rates.started(lane, nonce);
      return run;
    },
    /** A run has ended. Of two that Lambda made of one event the first to end decides; the other holds no permit. */
    ran: (run: LiveRun, { counts, success, crashed }: Pick<Behaviour, 'counts' | 'success' | 'crashed'>): void => {
      run.until = Math.min(run.until, now());
      const known = runsOf(run.uid);
      if (counts) known.counted += 1;
      if (success) known.succeeded += 1;
      if (crashed) known.crashed += 1;
    },
    /** It can't begin any more. */
    tooOld: (run: LiveRun): void => void (run.until = Math.min(run.until, now())),
    /** A tenant's list named it. */
    listed: (tenant: string, id: string, uid: string): void => {
      const owner = accepted.get(uid) ?? rows.get(uid) ?? ends.get(uid);
      if (owner && (owner.tenant !== tenant || owner.id !== id))
        violated('other', `the list of ${tenant} names ${owner.tenant}/${owner.id}`);
    },
    waiting: (): readonly TaskRow[] => [...rows.values()].filter((row) => !isTerminal(row.state)),
  };

  /** What lanes hold together, but for what a clock that is ahead takes to be over. */
  function checkCapacities(lane: Lane): void {
    for (const { name, most, of } of CAPACITIES) {
      if (!of(lane)) continue;
      const held = index.permitsOf(of).filter(({ expiry }) => expiry > now() + SKEW_MS).length;
      if (held > most) violated('permitLeaks', `${held} permits of ${name}, which is ${most}`);
    }
  }

  function checkLimit(lane: Lane): void {
    const at = now();
    let alive = 0;
    for (const all of live.values()) for (const run of all) if (run.until > at && laneKey(run.lane) === laneKey(lane)) alive += 1;
    // While a lane goes from the entry pool to a share of its own or back, it may have both.
    const limits = specsOf(lane.type).map((spec) => spec.concurrency + (isDivided(spec) ? Math.min(spec.concurrency, ENTRY_OF_LANE) : 0));
    const limit = Math.max(...limits);
    if (alive > limit) violated('permitLeaks', `${alive} attempts of ${laneKey(lane)} live at once, of ${limit}`);
  }
}

export function nameOf(row: Pick<TaskRow, 'tenant' | 'id' | 'uid'>): string {
  return `${row.tenant}/${row.id}/${row.uid}`;
}
