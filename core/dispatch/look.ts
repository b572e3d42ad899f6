import type { TaskRow } from '@sluice/contracts';
import { decideHint, type HintDecision } from '../hints/decide.ts';
import { placeHints, type TenantTask } from '../hints/place.ts';
import { HINT_TIMES } from '../hints/timing.ts';
import type { Effects } from '../settle/effects.ts';
import { effectsOf } from '../settle/effects-of.ts';
import { settleOutcome } from '../settle/settle-outcome.ts';
import { retainUntil } from '../settle/decide.ts';
import type { RowVersion } from '../ports/task-store.ts';
import { logStep } from '../tasks/step.ts';
import { DONE, keep, type DispatchDeps, type Work, type WorkEnd } from './work.ts';

/** Either the hint is dealt with, or its task is to be claimed. */
export type Looked = { readonly end: WorkEnd; readonly effects?: Effects } | 'claim';

/** Reads the row that a hint names and does what the decision says, all but the claim. */
export async function look(deps: DispatchDeps, work: Work): Promise<Looked> {
  const now = deps.clock.now();
  const row = await deps.tasks.get(work.tenant, work.task.id);
  return lookAt(deps, work, row, now);
}

/** The same for a row that has just been read, as a lost condition returns it. `now` is from before that. */
export async function lookAt(deps: DispatchDeps, work: Work, row: TaskRow | undefined, now: number): Promise<Looked> {
  return act(deps, work, row, decideHint(row, work.task, now));
}

async function act(deps: DispatchDeps, work: Work, row: TaskRow | undefined, decision: HintDecision): Promise<Looked> {
  switch (decision.do) {
    case 'claim':
      return 'claim';
    case 'drop':
      return { end: DONE };
    case 'look-again':
    case 'give-back':
      return { end: await later(deps, work) };
    case 'hint-at':
      return { end: await hintAt(deps, work, decision.at) };
    case 'repeat-end':
      return { end: DONE, ...(row && { effects: await effectsOf(deps, row) }) };
    case 'expire':
      return row ? ((await expire(deps, work, row)).looked ?? { end: keep(0) }) : { end: DONE };
    case 'lost':
      return row ? { end: DONE, effects: await lost(deps, row) } : { end: DONE };
  }
}

/** The same hint at a later time; the present one may go once that is durable. */
export async function hintAt(deps: DispatchDeps, work: Work, at: number): Promise<WorkEnd> {
  const [durable] = await placeHints(deps, [{ tenant: work.tenant, task: { ...work.task, at: placeAfter(work, at) } }]);
  return durable === true ? DONE : keep(HINT_TIMES.giveBackSeconds);
}

/** A message is given back; a backlog item would stand in front of its lane, so it becomes a message. */
async function later(deps: DispatchDeps, work: Work): Promise<WorkEnd> {
  if (work.source === 'queue') return keep(HINT_TIMES.giveBackSeconds);
  return hintLater(deps, work, HINT_TIMES.giveBackSeconds * 1000);
}

/** The same hint, to be looked at some time from now. */
export async function hintLater(deps: DispatchDeps, work: Work, ms: number): Promise<WorkEnd> {
  const [durable] = await placeHints(deps, [againAt(work, deps.clock.now() + ms)]);
  return durable === true ? DONE : keep(HINT_TIMES.giveBackSeconds);
}

/** A hint to be looked at again at that time, its row before anything else. */
export function againAt(work: Work, notBefore: number): TenantTask {
  return { tenant: work.tenant, task: { ...work.task, at: placeAfter(work, work.task.at), look: true }, notBefore };
}

/**
 * The time of a hint that follows this one. In a backlog it is part of its key, and an item is removed after its successor
 * was made: that one may have been put into the same backlog by then, and must not be the item that is removed.
 */
function placeAfter({ source, task }: Work, at: number): number {
  return source === 'backlog' && at <= task.at ? task.at + 1 : at;
}

/**
 * Ends a task that is past its time for the price of one write, on condition that it is as its first hint says; else its
 * row is looked at, as it was found.
 */
export async function expireBlind(deps: DispatchDeps, work: Work): Promise<Looked> {
  const now = deps.clock.now();
  const { uid, seq } = work.task;
  const { looked, found } = await expire(deps, work, { uid, seq, state: 'waiting' });
  return looked ?? lookAt(deps, work, found, now);
}

interface Expired {
  /** Absent where the row was not that version. */
  readonly looked?: Looked;
  readonly found: TaskRow | undefined;
}

async function expire(deps: DispatchDeps, work: Work, version: RowVersion): Promise<Expired> {
  const now = deps.clock.now();
  const written = await deps.tasks.update(work.tenant, work.task.id, version, {
    set: { state: 'expired', reason: 'expired', endedAt: now, endedBy: 'hint', ttl: retainUntil(now) },
  });
  if (!written.applied) return { found: written.row };
  deps.telemetry.count('task.expired', written.row.type);
  logStep(deps.telemetry, 'expired', written.row);
  return { found: written.row, looked: { end: DONE, effects: await effectsOf(deps, written.row) } };
}

async function lost(deps: DispatchDeps, row: TaskRow): Promise<Effects> {
  deps.telemetry.log('warn', 'a lease ended without an outcome', { tenant: row.tenant, task: row.id, uid: row.uid, fence: row.fence });
  const error = { name: 'OutcomeLost', message: 'the lease ended and nothing is known of the attempt' };
  const { tenant, id, uid, type, fence, attempts } = row;
  const at = deps.clock.now();
  return settleOutcome(deps, { v: 1, tenant, id, uid, type, fence, attempt: attempts + 1, class: 'lost', error, at }, 'hint', row);
}
