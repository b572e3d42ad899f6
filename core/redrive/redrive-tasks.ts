import { isSluiceError, type Generation, type TaskRow } from '@sluice/contracts';
import { checkRetriable, payloadOf, successorOf } from '../api/retry-task.ts';
import { isDead } from '../dead/dead-filter.ts';
import { placeHints } from '../hints/place.ts';
import type { DeadList } from '../ports/dead-list.ts';
import { notHinted } from '../submit/hint-again.ts';
import { putRow, retire, type SubmitDeps } from '../submit/put-row.ts';
import { KEPT_MS } from '../tasks/kept.ts';
import { hintOf } from '../tasks/state.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { storeValue } from '../tasks/values.ts';
import type { RedriveOutcome } from './decide.ts';

export interface RedriveTasksDeps extends SubmitDeps {
  readonly deadTasks: DeadList;
}

/** Calls for single tasks that are made side by side. */
const AT_ONCE = 25;

/** A dead task, and the generation that is to replace it. */
interface Successor {
  readonly old: TaskRow;
  readonly row: TaskRow;
}

/**
 * Redrives generations of tasks as retries of each do, but with one call for all of them where there is one. Each is
 * redriven once, however often this is repeated: a row is replaced on condition that it still is that generation, and
 * the new one names the redrive, by which a repeat knows it. @throws where an answer is unknown: repeat the whole page.
 */
export async function redriveTasks(
  deps: RedriveTasksDeps,
  tenant: string,
  redrive: string,
  page: readonly Generation[],
): Promise<readonly RedriveOutcome[]> {
  const rows = new Map((await deps.deadTasks.rows(tenant, [...new Set(page.map(({ id }) => id))])).map((row) => [row.id, row]));
  const now = deps.clock.now();
  const prepared = await sideBySide(page, AT_ONCE, async ({ id, uid }): Promise<RedriveOutcome | Successor> => {
    const row = rows.get(id);
    if (row && isSuccessor(row, uid, redrive)) return { did: 'redriven' };
    if (row?.uid !== uid || !isDead(row, now)) return { did: 'skipped' };
    return prepare(deps, row, redrive, now);
  });
  const successors = prepared.filter((each): each is Successor => 'row' in each);
  if (successors.length > 0) await accept(deps, tenant, successors, prepared);
  return prepared.map((each): RedriveOutcome => ('did' in each ? each : { did: 'redriven' }));
}

/** Whether this redrive has put the row in that generation's place: in this run, or in one that had the page before or beside it. */
function isSuccessor(row: TaskRow, uid: string, redrive: string | undefined): boolean {
  return row.retryOf === uid && row.redrive === redrive;
}

async function prepare(deps: RedriveTasksDeps, old: TaskRow, redrive: string, now: number): Promise<RedriveOutcome | Successor> {
  try {
    await checkRetriable(deps, old);
    const fresh = { ...successorOf(old, deps.random.ulid(now), now), redrive };
    const payload = await storeValue(deps.values, fresh, 'payload', await payloadOf(deps, old), now + KEPT_MS);
    return { old, row: { ...fresh, payload } };
  } catch (error) {
    if (isSluiceError(error) && !error.retryable) return { did: 'failed', code: error.code };
    throw error;
  }
}

/** Old effects and copies, then hints, then rows. Outcomes that turn out otherwise are put into `outcomes`. */
async function accept(
  deps: RedriveTasksDeps,
  tenant: string,
  successors: readonly Successor[],
  outcomes: (RedriveOutcome | Successor)[],
): Promise<void> {
  await retire(
    deps,
    successors.map(({ old }) => old),
  );
  const made = deps.clock.now();
  const hinted = await placeHints(
    deps,
    successors.map(({ row }) => ({ tenant, task: hintOf(row, made) })),
  );
  if (hinted.includes(false)) throw notHinted();
  await sideBySide(successors, AT_ONCE, async (successor) => {
    const { old, row } = successor;
    const isOurs = await putRow(deps, row, made, old, true).then(
      (put) => !put.deduplicated || isSuccessor(put.row, old.uid, row.redrive),
      (error: unknown) => {
        // Somebody submitted the id anew, with another payload.
        if (isSluiceError(error) && error.code === 'id_conflict') return false;
        throw error;
      },
    );
    if (!isOurs) outcomes[outcomes.indexOf(successor)] = { did: 'skipped' };
  });
}
