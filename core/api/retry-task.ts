import { isSluiceError, SluiceError, type Accepted, type TaskRow } from '@sluice/contracts';
import { placeHints } from '../hints/place.ts';
import { notHinted } from '../submit/hint-again.ts';
import { acceptedAs, putRow, type SubmitDeps } from '../submit/put-row.ts';
import { KEPT_MS } from '../tasks/kept.ts';
import { hintOf, isTerminal } from '../tasks/state.ts';
import { logStep } from '../tasks/step.ts';
import { readValue, storeValue } from '../tasks/values.ts';
import { readRow } from './get-task.ts';
import { viewState } from './view.ts';

/**
 * Runs a task again that ended without success: a new generation of its id, with the same payload, options and labels
 * and all its attempts anew. An expiry that has passed is left out.
 *
 * @param uid the generation that is meant. With it the call may be repeated: once that generation has been retried,
 *   the answer is the task that it became, `deduplicated`
 * @throws SluiceError `not_found`; `state_conflict` for a task that has not ended, that succeeded, or that is another
 *   generation by now; `unknown_type` when its type is no longer deployed; `payload_gone`; `unavailable`
 */
export async function retryTask(deps: SubmitDeps, tenant: string, id: string, uid?: string): Promise<Accepted> {
  const old = await readRow(deps, tenant, id);
  if (uid !== undefined && old.uid !== uid) {
    if (old.retryOf === uid) return { id, uid: old.uid, state: old.state, deduplicated: true };
    throw conflict(old, `task ${id} is generation ${old.uid} by now, not ${uid}; look at it again`);
  }
  await checkRetriable(deps, old);
  const json = await payloadOf(deps, old);
  const now = deps.clock.now();
  const fresh = successorOf(old, deps.random.ulid(now), now);
  const row = { ...fresh, payload: await storeValue(deps.values, fresh, 'payload', json, now + KEPT_MS) };
  const made = deps.clock.now();
  const [durable] = await placeHints(deps, [{ tenant, task: hintOf(row, made) }]);
  if (durable !== true) throw notHinted();
  const accepted = acceptedAs(await putRow(deps, row, made, old));
  logStep(deps.telemetry, accepted.deduplicated ? 'deduplicated' : 'accepted', { ...row, uid: accepted.uid }, { retryOf: old.uid });
  return accepted;
}

/** @throws SluiceError `state_conflict`, `unknown_type` for a task that cannot run again */
export async function checkRetriable(deps: Pick<SubmitDeps, 'types'>, old: TaskRow): Promise<void> {
  const { id } = old;
  if (!isTerminal(old.state)) throw conflict(old, `task ${id} is ${viewState(old)}; only a task that has ended can be retried`);
  if (old.state === 'succeeded') throw conflict(old, `task ${id} has succeeded; submit it under another id to run it again`);
  if (old.redrivenAs) {
    throw conflict(old, `task ${id} has been retried with another payload, as task ${old.redrivenAs.id}; look at that one`);
  }
  if (!(await deps.types.get(old.type))) {
    throw new SluiceError('unknown_type', `the task type "${old.type}" of task ${id} is no longer deployed; deploy it, then retry`);
  }
}

/** The next generation of a task. Its payload is stored next, under its own uid. */
export function successorOf(old: TaskRow, uid: string, now: number): TaskRow {
  const { tenant, id, type, priority, hash, labels, retry, notify, expiresAt } = old;
  return {
    v: 1,
    tenant,
    id,
    uid,
    seq: 0,
    fence: 0,
    type,
    priority,
    state: 'waiting',
    at: now,
    acceptedAt: now,
    hintedAt: now,
    hash,
    payload: { in: 'row', json: 'null' },
    attempts: 0,
    lost: 0,
    throttled: 0,
    retryOf: old.uid,
    ...(labels && { labels }),
    ...(retry && { retry }),
    ...(notify && { notify }),
    ...(expiresAt !== undefined && expiresAt > now && { expiresAt }),
  };
}

export async function payloadOf(deps: SubmitDeps, old: TaskRow): Promise<string> {
  try {
    return await readValue(deps.values, old, 'payload', old.payload);
  } catch (error) {
    if (!isSluiceError(error) || error.code !== 'not_found') throw error;
    throw new SluiceError('payload_gone', `the payload of task ${old.id} has been deleted; submit the task again with its payload`);
  }
}

export function conflict(row: TaskRow, message: string): SluiceError {
  return new SluiceError('state_conflict', message, { details: { state: viewState(row), uid: row.uid } });
}
