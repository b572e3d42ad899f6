import { isSystemName, SluiceError, type Accepted, type RetryRequest, type TaskRow } from '@sluice/contracts';
import { readRow } from '../api/get-task.ts';
import { checkRetriable, conflict, successorOf } from '../api/retry-task.ts';
import { placeHints } from '../hints/place.ts';
import { applyAll } from '../settle/effects.ts';
import { effectsOf } from '../settle/effects-of.ts';
import { newRow } from '../submit/new-row.ts';
import { notHinted } from '../submit/hint-again.ts';
import { acceptedAs, putRow, type SubmitDeps } from '../submit/put-row.ts';
import { checkSubmission } from '../submit/validate.ts';
import { KEPT_MS } from '../tasks/kept.ts';
import { hintOf } from '../tasks/state.ts';
import { logStep } from '../tasks/step.ts';
import { storeValue } from '../tasks/values.ts';

/** Characters of the old id in the one that is made of it: it leaves room for the rest. */
const OLD_ID_LENGTH = 100;
const DIGEST_LENGTH = 12;

/**
 * Runs a task that ended without success again with another payload: as a new task of another id, which has the type,
 * priority, labels and retry policy of the old one where nothing else is given. Each names the other. The old one is
 * dead no more. Repeatable: the id is made of the old id and generation, or given by the caller.
 *
 * @throws SluiceError as a retry and a submission do; `bad_request` for a task of the platform's own
 */
export async function retryAsNew(deps: SubmitDeps, tenant: string, id: string, request: RetryRequest, uid?: string): Promise<Accepted> {
  const old = await readRow(deps, tenant, id);
  if (uid !== undefined && old.uid !== uid) {
    throw conflict(old, `task ${id} is generation ${old.uid} by now, not ${uid}; look at it again`);
  }
  const newId = request.id ?? madeId(deps, old);
  const row = rowFor(deps, old, newId, request);
  const found = await deps.tasks.get(tenant, newId);
  if (found?.redriveOf?.uid === old.uid && found.hash === row.hash) {
    await link(deps, old, found);
    return { id: newId, uid: found.uid, state: found.state, deduplicated: true };
  }
  await checkRetriable(deps, old);
  const json = JSON.stringify(request.payload);
  const stored = { ...row, payload: await storeValue(deps.values, row, 'payload', json, row.acceptedAt + KEPT_MS) };
  const made = deps.clock.now();
  const [durable] = await placeHints(deps, [{ tenant, task: hintOf(stored, made) }]);
  if (durable !== true) throw notHinted();
  const accepted = acceptedAs(await putRow(deps, stored, made));
  logStep(deps.telemetry, accepted.deduplicated ? 'deduplicated' : 'accepted', { ...stored, uid: accepted.uid }, { redriveOf: old.uid });
  await link(deps, old, accepted);
  return accepted;
}

function madeId(deps: SubmitDeps, old: TaskRow): string {
  return `${old.id.slice(0, OLD_ID_LENGTH)}~${deps.hasher.sha256(`retry ${old.uid}`).slice(0, DIGEST_LENGTH)}`;
}

function rowFor(deps: SubmitDeps, old: TaskRow, id: string, { payload, priority, labels, retry }: RetryRequest): TaskRow {
  if (isSystemName(old.type)) {
    throw new SluiceError('bad_request', `task ${old.id} is the platform's own: its payload cannot be changed; retry it without a body`);
  }
  if (id === old.id) {
    throw new SluiceError('bad_request', `with another payload it is another task, which cannot have the id ${id} too; give it another id`);
  }
  const now = deps.clock.now();
  const submission = {
    type: old.type,
    id,
    payload,
    priority: priority ?? old.priority,
    ...((labels ?? old.labels) && { labels: labels ?? old.labels }),
    ...((retry ?? old.retry) && { retry: retry ?? old.retry }),
  };
  const uid = deps.random.ulid(now);
  const { retryOf: _, labels: __, retry: ___, ...rest } = successorOf(old, uid, now);
  const given = newRow({ tenant: old.tenant, uid, now, checked: checkSubmission(submission, now), hash: deps.hasher });
  return { ...rest, ...given, redriveOf: { id: old.id, uid: old.uid } };
}

/** Best effort but for a repeat: a task that has meanwhile become another generation needs no link. */
async function link(deps: SubmitDeps, old: TaskRow, { id, uid }: Pick<TaskRow, 'id' | 'uid'>): Promise<void> {
  if (old.redrivenAs) return;
  // The write raises the row's seq, so that the hint which ended it would repeat its effects no more.
  await applyAll(deps, [await effectsOf(deps, old)]);
  await deps.tasks.update(old.tenant, old.id, { uid: old.uid, seq: old.seq, state: old.state }, { set: { redrivenAs: { id, uid } } });
}
