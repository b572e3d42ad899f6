import {
  isSluiceError,
  type BreakerCanary,
  type Envelope,
  type Outcome,
  type StartMode,
  type TaskRow,
  type TaskTypeSpec,
} from '@sluice/contracts';
import { gateOf, undoProbes } from '../breakers/gate.ts';
import { placeHints } from '../hints/place.ts';
import { HINT_TIMES } from '../hints/timing.ts';
import { outcomeOf, outcomeOfAnswer } from '../outcomes/classify.ts';
import { homeOf } from '../permits/entry.ts';
import { releasePermits } from '../permits/release.ts';
import type { Shard } from '../ports/hint-queue.ts';
import type { Permit } from '../ports/permit-store.ts';
import type { WriteResult } from '../ports/task-store.ts';
import type { Effects } from '../settle/effects.ts';
import { classed } from '../settle/decide.ts';
import { settleOutcome } from '../settle/settle-outcome.ts';
import { logStep } from '../tasks/step.ts';
import { readCheckpoint } from '../tasks/checkpoint.ts';
import { readValue } from '../tasks/values.ts';
import type { Turn } from './ahead.ts';
import { look, lookAt } from './look.ts';
import { DONE, GRACE_MS, keep, runMs, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** ms that the call which starts an attempt may itself take, 10 s by its client's time-outs, and that clocks may differ by. */
const INVOKE_MARGIN_MS = 15_000;
/** ms after its claim from which on a task is looked at again before it starts. */
const STALE_MS = 250;

/** A task about to be claimed: its permit is taken and, where the mode needs one, its lease-end hint is durable. */
export interface Claim {
  readonly work: Work;
  readonly spec: TaskTypeSpec;
  readonly mode: StartMode;
  readonly permit: Permit;
  readonly cell: number;
  /** Whether the cell is of what is kept for newcomers to the type. */
  readonly entry?: boolean;
  /** Set for a probe of a breaker. */
  readonly canary?: BreakerCanary | undefined;
  /** When it may run. @default once it is claimed */
  readonly turn?: Turn | undefined;
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

/** Claims a task and runs or starts its attempt. @param onClaimed called between the two */
export async function claimAndStart(deps: DispatchDeps, claim: Claim, onClaimed?: () => void): Promise<Claimed> {
  const { work, permit, cell } = claim;
  const now = deps.clock.now();
  const own = { release: { lane: homeOf({ tenant: work.tenant, type: work.task.type }, claim.entry), cell, permit } };
  let written: WriteResult;
  try {
    written = await writeClaim(deps, claim);
  } catch (error) {
    // Applied or not, this attempt is never started, so its permit need not wait for the lease's end.
    claim.turn?.passOn();
    await releasePermits(deps, [own.release]);
    throw error;
  }
  // Our own nonce in a row that refused us means that the write was applied and its answer lost.
  const mine = written.row?.uid === work.task.uid && written.row.fence === fenceOf(work) && written.row.run?.nonce === permit.nonce;
  if (written.row && (written.applied || (mine && written.row.state === 'running'))) {
    onClaimed?.();
    return start(deps, claim, written.row);
  }
  // The claim is lost, and only its own permit with it; the row is looked at again.
  claim.turn?.passOn();
  await undoProbes(deps, claim.canary, [work.task.uid]);
  const looked = written.row ? await lookAt(deps, work, written.row, now) : await look(deps, work);
  if (looked === 'claim') return { end: keep(0), effects: [own] };
  return { end: looked.end, effects: looked.effects ? [own, looked.effects] : [own] };
}

/** A hint may be quicker than the row of its submission: a missing row is looked for again for 200 ms. */
async function writeClaim(deps: DispatchDeps, claim: Claim): Promise<WriteResult> {
  const { work, permit, cell, mode, entry } = claim;
  const { task, tenant } = work;
  const write = (): Promise<WriteResult> => {
    const claimedAt = deps.clock.now();
    const waited = entry && work.source === 'backlog';
    const hint = needsLeaseHint(work, mode) ? fenceOf(work) : task.seq;
    return deps.tasks.update(
      tenant,
      task.id,
      { uid: task.uid, seq: task.seq, state: 'waiting' },
      {
        set: {
          state: 'running',
          fence: fenceOf(work),
          run: {
            hint,
            mode,
            claimedAt,
            leaseEnd: permit.expiry,
            cell,
            ...(entry && { entry }),
            ...(waited && { waited }),
            nonce: permit.nonce,
          },
        },
        setOnce: { firstClaimAt: claimedAt },
        remove: ['startedAt', 'preemptAt'],
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
  const { spec, mode, permit, work, canary, turn } = claim;
  const claimed: Envelope['sluice'] = {
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
    effects: [await settleOutcome(deps, outcomeOf(claimed, said, deps.clock.now()), 'hint', row)],
  });
  const undone = (message: string, wait: Pick<Outcome, 'retryAfterMs'> = {}) =>
    settleAs({ class: 'undone', error: { name: 'NotStarted', message }, ...wait });
  const undo: typeof undone = (...why) => {
    turn?.passOn();
    return undone(...why);
  };

  let input: Pick<Envelope, 'payload' | 'payloadUrl'>;
  let checkpoint: unknown;
  try {
    [input, checkpoint] = await Promise.all([payloadOf(deps, claim, row), checkpointOf(deps, row)]);
  } catch (error) {
    deps.telemetry.log('error', 'payload unreadable', { tenant: row.tenant, task: row.id, error });
    if (!isSluiceError(error) || error.code !== 'not_found') return undo('its payload could not be read', { retryAfterMs: 30_000 });
    turn?.passOn();
    return settleAs({ class: 'impossible', error: { name: 'PayloadLost', message: error.message } });
  }
  const came = (await turn?.comes()) ?? 'at-once';
  if (came === 'never') return undo('no slot came for it');
  if (came === 'late' && !(await mayStillStart(deps, row))) return undo('it was held back while it waited for a slot');
  // An invocation may take its whole time; past this instant it could outlive its lease.
  if (deps.clock.now() + runMs(spec, mode) + INVOKE_MARGIN_MS > permit.expiry) return undo('dispatch was too late to start it');

  const startedAt = deps.clock.now();
  deps.telemetry.measure('task.wait_time', row.type, Math.max(0, (came === 'late' ? startedAt : (row.run?.claimedAt ?? row.at)) - row.at));
  logStep(deps.telemetry, 'started', row, { attempt: claimed.attempt, mode });
  const sluice = came === 'late' ? { ...claimed, deadline: startedAt + runMs(spec, mode) } : claimed;
  const envelope: Envelope = { ...input, sluice: checkpoint === undefined ? sluice : { ...sluice, checkpoint } };
  const result = await deps.starter.start(spec, mode, envelope);
  switch (result.kind) {
    case 'started':
      return { end: DONE, effects: [] };
    case 'answered': {
      const outcome = outcomeOfAnswer(sluice, result.answer, deps.clock.now());
      const told = { ...outcome, startedAt: outcome.startedAt ?? startedAt };
      if (classed(told, spec, row).class === 'throttled') turn?.rest();
      else turn?.passOn();
      const effects = await settleOutcome(deps, told, 'hint', outcome.class === 'succeeded' ? undefined : row);
      return { end: DONE, effects: [came === 'late' ? begun(effects, startedAt) : effects] };
    }
    case 'refused': {
      turn?.rest();
      deps.telemetry.count(`start.${result.why}`, row.type);
      deps.telemetry.log('warn', 'an attempt was refused', { tenant: row.tenant, task: row.id, why: result.why, error: result.message });
      // A handler that is gone may come back with the next deploy; its tasks wait.
      const { end, effects } = await (result.why === 'missing'
        ? undone(result.message, { retryAfterMs: 60_000 })
        : settleAs({ class: 'throttled', error: { name: 'TooManyRequestsException', message: result.message } }));
      return { end, effects: came === 'late' ? effects.map((each) => begun(each, startedAt)) : effects };
    }
    case 'unknown':
      deps.telemetry.count('start.unknown', row.type);
      // It may run: nothing is decided before its lease is over. A message in flight is its hint until then.
      return { end: needsLeaseHint(claim.work, mode) ? DONE : keep(secondsUntil(deps, permit.expiry)), effects: [] };
  }
}

/** One that has waited for a slot: somebody may have cancelled it, and a breaker may have opened. */
async function mayStillStart(deps: DispatchDeps, row: TaskRow): Promise<boolean> {
  try {
    if ((await gateOf(deps, row.type)) !== 'open') return false;
    if (deps.clock.now() - (row.run?.claimedAt ?? 0) < STALE_MS) return true;
    const now = await deps.tasks.get(row.tenant, row.id);
    return now?.uid === row.uid && now.seq === row.seq;
  } catch (error) {
    deps.telemetry.log('warn', 'a claim could not be looked at again', { tenant: row.tenant, task: row.id, error });
    return false;
  }
}

/** What an attempt's end says of the capacity counts from its start: while it waited for a slot nothing ran. */
function begun(effects: Effects, startedAt: number): Effects {
  const { release } = effects;
  return release?.end ? { ...effects, release: { ...release, end: { ...release.end, claimedAt: startedAt } } } : effects;
}

/** One that is gone is none: the attempt begins at the beginning. */
async function checkpointOf(deps: DispatchDeps, row: TaskRow): Promise<unknown> {
  try {
    return await readCheckpoint(deps.values, row);
  } catch (error) {
    if (!isSluiceError(error) || error.code !== 'not_found') throw error;
    deps.telemetry.log('warn', 'checkpoint is gone', { tenant: row.tenant, task: row.id });
    return undefined;
  }
}

function secondsUntil(deps: DispatchDeps, at: number): number {
  return Math.max(1, Math.ceil((at - deps.clock.now()) / 1000));
}

async function payloadOf(deps: DispatchDeps, claim: Claim, row: TaskRow): Promise<Pick<Envelope, 'payload' | 'payloadUrl'>> {
  if (row.payload.in === 's3') {
    const seconds = Math.ceil((runMs(claim.spec, claim.mode) + (claim.turn ? GRACE_MS : 0)) / 1000);
    return { payloadUrl: await deps.values.url(row.tenant, row.payload, seconds) };
  }
  return { payload: JSON.parse(await readValue(deps.values, row, 'payload', row.payload)) };
}
