import { firePayloadSchema, isSluiceError, type FirePayload, type Occurrence, type ScheduleRecord } from '@sluice/contracts';
import { cancelTask } from '../api/cancel-task.ts';
import { SystemTaskError, type SystemHandler } from '../system/run-system-task.ts';
import { armFire, armWaiter, dueAt, isYoung, type OccurrenceDeps } from './arm.ts';
import { nextAfterOf } from './change.ts';
import { decideOverlap, planDue, type Plan } from './plan.ts';
import { ledgerOf, type Ledger } from './ledger.ts';
import { isOver, stillOpen, submitOccurrence, taskIdOf } from './submit-occurrence.ts';

/** How often others may come first before a fire is put off. */
const MAX_LOOKS = 8;
const LOOK_AGAIN_MS = 2_000;
/** A waiting occurrence looks again after a tenth of the time that it has waited, within these bounds. */
const WAIT_MS = { least: 1_000, most: 60_000 };

export interface Fired {
  readonly did: 'nothing' | 'armed' | 'decided';
}

/** The handler of `sluice.fire`: decides the occurrences of a schedule that are due. Repeatable at every step. */
export function createFireHandler(deps: OccurrenceDeps): SystemHandler {
  return async (payload, { tenant }) => {
    const parsed = firePayloadSchema.safeParse(payload);
    if (!parsed.success) throw new SystemTaskError('fatal', `no fire of a schedule: ${parsed.error.message}`);
    try {
      return await fire(deps, tenant, parsed.data);
    } catch (error) {
      if (!isSluiceError(error) || error.code !== 'throttled') throw error;
      throw new SystemTaskError('throttled', error.message, { retryAfterMs: LOOK_AGAIN_MS, cause: error });
    }
  };
}

async function fire(deps: OccurrenceDeps, tenant: string, payload: FirePayload): Promise<Fired> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const record = await deps.schedules.get(tenant, payload.name);
    if (record?.chain !== payload.chain) {
      // Tasks of a chain are made before its schedule is written.
      if (isYoung(payload.chain, deps.clock.now())) throw lookAgain('its schedule is not there yet', LOOK_AGAIN_MS);
      return { did: 'nothing' };
    }
    if (record.state === 'paused') return { did: 'nothing' };
    const fired = payload.waits ? await release(deps, record, payload.at) : await advance(deps, record, payload);
    if (fired) return fired;
  }
  throw lookAgain(`the schedule changed ${MAX_LOOKS} times`, LOOK_AGAIN_MS);
}

function lookAgain(why: string, retryAfterMs: number): SystemTaskError {
  return new SystemTaskError('throttled', why, { retryAfterMs });
}

/** Decides everything that is due. The next task first, so that whatever happens here the chain goes on. */
async function advance(deps: OccurrenceDeps, record: ScheduleRecord, payload: FirePayload): Promise<Fired | undefined> {
  const { next } = record;
  if (next === undefined || payload.at < next) return { did: 'nothing' };
  const plan = planDue({
    next,
    since: record.since,
    owed: record.owed,
    nextAfter: nextAfterOf(record),
    jitterSeconds: record.spec.jitterSeconds,
    jitter: (at) => dueAt(record, at) - at,
    misfire: record.spec.misfire,
    // It was started because its time had come: a clock that is behind does not put it off.
    now: Math.max(deps.clock.now(), payload.legs === undefined ? dueAt(record, payload.at) : 0),
  });
  if (plan.next !== undefined) await armFire(deps, record, plan.next);
  if (plan.next === next) return { did: 'armed' };
  const ledger = await decideAll(deps, record, plan);
  return commit(deps, record, ledger, plan.next);
}

async function decideAll(deps: OccurrenceDeps, record: ScheduleRecord, plan: Plan): Promise<Ledger> {
  const { tenant, name, spec } = record;
  const ledger = ledgerOf(record, deps.clock.now());
  if (plan.missed) ledger.note({ at: plan.missed.last, did: 'missed', count: plan.missed.count });
  ledger.open = spec.overlap === 'allow' ? [] : await stillOpen(deps, tenant, record.open);
  for (const at of plan.run) {
    const task = taskIdOf(name, at);
    // An earlier look may have submitted it, and died before it could say so.
    const isThere = spec.overlap !== 'allow' && (await deps.tasks.get(tenant, task)) !== undefined;
    const decision = isThere ? 'submit' : decideOverlap(spec.overlap, ledger.open.length > 0, ledger.waiting !== undefined);
    if (decision === 'skip') ledger.note({ at, did: 'skipped', reason: 'an earlier one has not ended' });
    else if (decision === 'wait') {
      await armWaiter(deps, record, at);
      ledger.waiting = at;
      ledger.note({ at, did: 'waiting' });
    } else {
      if (decision === 'replace') await cancelAll(deps, tenant, ledger);
      ledger.note(await submitted(deps, record, at));
    }
  }
  return ledger;
}

async function cancelAll(deps: OccurrenceDeps, tenant: string, ledger: Ledger): Promise<void> {
  for (const id of ledger.open) {
    await cancelTask(deps, tenant, id).catch((error: unknown) => {
      if (!isOver(error)) throw error;
    });
  }
  ledger.open = [];
}

async function submitted(deps: OccurrenceDeps, record: ScheduleRecord, at: number): Promise<Omit<Occurrence, 'decidedAt'>> {
  const done = await submitOccurrence(deps, record, at);
  return done.ok ? { at, did: 'submitted', task: taskIdOf(record.name, at) } : { at, did: 'failed', reason: done.reason };
}

/** An occurrence that waits: submits it once the earlier ones have ended. It is held free of charge until then. */
async function release(deps: OccurrenceDeps, record: ScheduleRecord, at: number): Promise<Fired | undefined> {
  if (record.waiting !== at) {
    if (record.next !== undefined && record.next <= at) throw lookAgain('it is not decided yet', LOOK_AGAIN_MS);
    return { did: 'nothing' };
  }
  const now = deps.clock.now();
  const open = (await stillOpen(deps, record.tenant, record.open)).filter((id) => id !== taskIdOf(record.name, at));
  if (open.length > 0) {
    throw lookAgain(`task ${open[0]} has not ended`, Math.round(Math.min(WAIT_MS.most, Math.max(WAIT_MS.least, (now - at) / 10))));
  }
  const ledger = ledgerOf(record, now);
  ledger.waiting = undefined;
  ledger.open = [];
  ledger.note(await submitted(deps, record, at));
  return commit(deps, record, ledger, record.next);
}

/** @returns nothing when another write came first: it is to be looked at anew */
async function commit(deps: OccurrenceDeps, record: ScheduleRecord, ledger: Ledger, next: number | undefined): Promise<Fired | undefined> {
  const written = ledger.written(deps.random.nonce(), next);
  if (!(await deps.schedules.put(record.tenant, written, record.seq)).applied) return undefined;
  ledger.tell(deps.telemetry);
  return { did: 'decided' };
}
