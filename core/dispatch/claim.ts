import {
  isSluiceError,
  type BreakerCanary,
  type Envelope,
  type Outcome,
  type StartMode,
  type TaskRow,
  type TaskTypeSpec,
} from '@sluice/contracts';
import { undoProbes } from '../breakers/gate.ts';
import { placeHints } from '../hints/place.ts';
import { HINT_TIMES } from '../hints/timing.ts';
import { outcomeOf, outcomeOfAnswer } from '../outcomes/classify.ts';
import { releasePermits } from '../permits/release.ts';
import type { Shard } from '../ports/hint-queue.ts';
import type { Permit } from '../ports/permit-store.ts';
import type { WriteResult } from '../ports/task-store.ts';
import type { Effects } from '../settle/effects.ts';
import { settleOutcome } from '../settle/settle-outcome.ts';
import { logStep } from '../tasks/step.ts';
import { readValue } from '../tasks/values.ts';
import { look, lookAt } from './look.ts';
import { DONE, keep, runMs, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** ms that the call which starts an attempt may itself take, 10 s by its client's time-outs, and that clocks may differ by. */
const INVOKE_MARGIN_MS = 15_000;

/** A task about to be claimed: its permit is taken and, where the mode needs one, its lease-end hint is durable. */
export interface Claim {
  readonly work: Work;
  readonly spec: TaskTypeSpec;
  readonly mode: StartMode;
  readonly permit: Permit;
  readonly cell: number;
  /** Set for a probe of a breaker. */
  readonly canary?: BreakerCanary | undefined;
}

/** The claim is the next write of the row, and its seq the fence. */
function fenceOf(work: Work): number {
  return work.task.seq + 1;
}

export interface Claimed {
  readonly end: WorkEnd;
  readonly effects: readonly Effects[];
}

/** Whether a lease-end hint of its own is needed: a queue message of a waiting dispatch stays in flight instead. */
export function needsLeaseHint(work: Work, mode: StartMode): boolean {
  return mode === 'event' || work.source === 'backlog';
}

/** Hints for the ends of leases, made before the claims that they are for. @returns for each whether it is durable. */
export async function placeLeaseHints(deps: DispatchDeps, claims: readonly Claim[], via: Shard | undefined): Promise<readonly boolean[]> {
  const needed = claims.filter((c) => needsLeaseHint(c.work, c.mode));
  const now = deps.clock.now();
  const entries = needed.map(({ work, permit }) => ({
    tenant: work.tenant,
    task: { ...work.task, seq: fenceOf(work), at: permit.expiry, made: now, look: true },
  }));
  const durable = entries.length > 0 ? await placeHints(deps, entries, via) : [];
  const byClaim = new Map(needed.map((claim, i) => [claim, durable[i] === true]));
  return claims.map((claim) => byClaim.get(claim) ?? true);
}

/** Claims a task and runs or starts its attempt. */
export async function claimAndStart(deps: DispatchDeps, claim: Claim): Promise<Claimed> {
  const { work, permit, cell } = claim;
  const now = deps.clock.now();
  const own = { release: { lane: { tenant: work.tenant, type: work.task.type }, cell, permit } };
  let written: WriteResult;
  try {
    written = await writeClaim(deps, claim);
  } catch (error) {
    // Applied or not, this attempt is never started, so its permit need not wait for the lease's end.
    await releasePermits(deps, [own.release]);
    throw error;
  }
  // Our own nonce in a row that refused us means that the write was applied and its answer lost.
  const mine = written.row?.uid === work.task.uid && written.row.fence === fenceOf(work) && written.row.run?.nonce === permit.nonce;
  if (written.row && (written.applied || (mine && written.row.state === 'running'))) return start(deps, claim, written.row);
  // The claim is lost, and only its own permit with it; the row is looked at again.
  await undoProbes(deps, claim.canary, [work.task.uid]);
  const looked = written.row ? await lookAt(deps, work, written.row, now) : await look(deps, work);
  if (looked === 'claim') return { end: keep(0), effects: [own] };
  return { end: looked.end, effects: looked.effects ? [own, looked.effects] : [own] };
}

/** A hint may be quicker than the row of its submission: a missing row is looked for again for 200 ms. */
async function writeClaim(deps: DispatchDeps, claim: Claim): Promise<WriteResult> {
  const { work, permit, cell, mode } = claim;
  const { task, tenant } = work;
  const write = (): Promise<WriteResult> => {
    const claimedAt = deps.clock.now();
    const hint = needsLeaseHint(work, mode) ? fenceOf(work) : task.seq;
    return deps.tasks.update(
      tenant,
      task.id,
      { uid: task.uid, seq: task.seq, state: 'waiting' },
      {
        set: { state: 'running', fence: fenceOf(work), run: { hint, mode, claimedAt, leaseEnd: permit.expiry, cell, nonce: permit.nonce } },
        setOnce: { firstClaimAt: claimedAt },
        remove: ['startedAt'],
      },
    );
  };
  let written = await write();
  for (const ms of HINT_TIMES.lookAgainMs) {
    if (written.applied || written.row?.uid === task.uid) break;
    await deps.timer.sleep(ms);
    written = await write();
  }
  return written;
}

async function start(deps: DispatchDeps, claim: Claim, row: TaskRow): Promise<Claimed> {
  const { spec, mode, permit, work, canary } = claim;
  deps.telemetry.measure('task.wait_time', row.type, Math.max(0, (row.run?.claimedAt ?? row.at) - row.at));
  const sluice: Envelope['sluice'] = {
    version: 1,
    tenant: row.tenant,
    task: row.id,
    uid: row.uid,
    type: row.type,
    fence: fenceOf(work),
    attempt: row.attempts + 1,
    throttled: row.throttled,
    deadline: deps.clock.now() + runMs(spec, mode),
    ...(deps.attemptsUrl !== undefined && { control: { url: deps.attemptsUrl, key: permit.nonce } }),
    ...(canary && { canary }),
  };
  const settleAs = async (said: Pick<Outcome, 'class' | 'error' | 'retryAfterMs'>): Promise<Claimed> => ({
    end: DONE,
    effects: [await settleOutcome(deps, outcomeOf(sluice, said, deps.clock.now()), 'hint', row)],
  });
  const undo = (message: string, wait: Pick<Outcome, 'retryAfterMs'> = {}) =>
    settleAs({ class: 'undone', error: { name: 'NotStarted', message }, ...wait });

  let envelope: Envelope;
  try {
    envelope = { ...(await payloadOf(deps, claim, row)), sluice };
  } catch (error) {
    deps.telemetry.log('error', 'payload unreadable', { tenant: row.tenant, task: row.id, error });
    if (isSluiceError(error) && error.code === 'not_found') {
      return settleAs({ class: 'impossible', error: { name: 'PayloadLost', message: error.message } });
    }
    return undo('its payload could not be read', { retryAfterMs: 30_000 });
  }
  // An invocation may take its whole time; past this instant it could outlive its lease.
  if (deps.clock.now() + runMs(spec, mode) + INVOKE_MARGIN_MS > permit.expiry) return undo('dispatch was too late to start it');

  const startedAt = deps.clock.now();
  logStep(deps.telemetry, 'started', row, { attempt: sluice.attempt, mode });
  const result = await deps.starter.start(spec, mode, envelope);
  switch (result.kind) {
    case 'started':
      return { end: DONE, effects: [] };
    case 'answered': {
      const outcome = outcomeOfAnswer(sluice, result.answer, deps.clock.now());
      const told = { ...outcome, startedAt: outcome.startedAt ?? startedAt };
      return { end: DONE, effects: [await settleOutcome(deps, told, 'hint', outcome.class === 'succeeded' ? undefined : row)] };
    }
    case 'refused':
      deps.telemetry.count(`start.${result.why}`, row.type);
      deps.telemetry.log('warn', 'an attempt was refused', { tenant: row.tenant, task: row.id, why: result.why, message: result.message });
      // A handler that is gone may come back with the next deploy; its tasks wait.
      if (result.why === 'missing') return undo(result.message, { retryAfterMs: 60_000 });
      return settleAs({ class: 'throttled', error: { name: 'TooManyRequestsException', message: result.message } });
    case 'unknown':
      deps.telemetry.count('start.unknown', row.type);
      // It may run: nothing is decided before its lease is over. A message in flight is its hint until then.
      return { end: needsLeaseHint(claim.work, mode) ? DONE : keep(secondsUntil(deps, permit.expiry)), effects: [] };
  }
}

function secondsUntil(deps: DispatchDeps, at: number): number {
  return Math.max(1, Math.ceil((at - deps.clock.now()) / 1000));
}

async function payloadOf(deps: DispatchDeps, claim: Claim, row: TaskRow): Promise<Pick<Envelope, 'payload' | 'payloadUrl'>> {
  if (row.payload.in === 's3') {
    const seconds = Math.ceil(runMs(claim.spec, claim.mode) / 1000);
    return { payloadUrl: await deps.values.url(row.tenant, row.payload, seconds) };
  }
  return { payload: JSON.parse(await readValue(deps.values, row, 'payload', row.payload)) };
}
