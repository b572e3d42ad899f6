import { SluiceError, type Accepted, type TaskRow } from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { NotifyGate } from '../notify/check-notify.ts';
import { applyAll, type EffectDeps } from '../settle/effects.ts';
import { effectsOf } from '../settle/effects-of.ts';
import { isFree, isTerminal } from '../tasks/state.ts';
import { confirmedLate, hintAgain } from './hint-again.ts';
import { sideBySide } from '../tasks/side-by-side.ts';

/** What it takes to accept a task. */
export interface AcceptDeps extends EffectDeps {
  readonly telemetry: Telemetry;
}

/** The same for callers' tasks, which may name receivers of notifications. */
export interface SubmitDeps extends AcceptDeps, NotifyGate {}

/** How often others may come first before a submission is refused. */
const MAX_LOOKS = 8;

/** A row as it is stored: the one that was given, or the one that its id already is. */
export interface Put {
  readonly row: TaskRow;
  readonly deduplicated: boolean;
}

/** It as the answer to a submission. */
export function acceptedAs({ row: { id, uid, state }, deduplicated }: Put): Accepted {
  return { id, uid, state, deduplicated };
}

/**
 * Writes the row of a task whose hint was made durable at `hintMade`, or finds the task that its id already is.
 * @param retried the generation that the row is to replace, although its id may not be free, and no other: one that has
 *   come since may be another retry of it, and have ended already
 * @param isRetired its effects have been repeated and its copy is kept
 * @throws SluiceError `id_conflict` when the id is another task; `unavailable` when nothing is known to be stored.
 */
export async function putRow(deps: AcceptDeps, row: TaskRow, hintMade: number, retried?: TaskRow, isRetired = false): Promise<Put> {
  let made = hintMade;
  let old = retried;
  for (let look = 0; look < MAX_LOOKS; look++) {
    // A put this late could meet a hint that has been dropped for want of its row.
    if (confirmedLate(made, deps.clock.now())) made = await hintAgain(deps, row);
    if (old && !(isRetired && old === retried)) await retire(deps, [old]);
    const written = old ? await deps.tasks.replace(row, old) : await deps.tasks.insert(row);
    const found = written.row;
    if (written.applied || found?.uid === row.uid) {
      if (confirmedLate(made, deps.clock.now())) await hintAgain(deps, found ?? row);
      return { row: found ?? row, deduplicated: false };
    }
    // Gone between the two: look again.
    if (!found) {
      old = undefined;
      continue;
    }
    if (retried ? found.uid !== retried.uid : !isFree(found, deps.clock.now())) return existing(deps, row, found);
    old = found;
  }
  throw new SluiceError(
    'unavailable',
    `task ${row.id} changed ${MAX_LOOKS} times while it was submitted; submit it again with the same id`,
  );
}

/** A repeat that meets a live row sends a fresh hint before it answers: the first submission may have died before its own. */
async function existing(deps: AcceptDeps, row: TaskRow, found: TaskRow): Promise<Put> {
  if (found.hash !== row.hash) {
    throw new SluiceError(
      'id_conflict',
      `task ${row.id} exists with another type or payload; use another id, or wait until it has failed or its dedup window has passed`,
      {
        details: { given: row.hash, existing: found.hash, state: found.state },
      },
    );
  }
  if (!isTerminal(found.state)) await hintAgain(deps, found);
  return { row: found, deduplicated: true };
}

/** Tasks whose copies are written side by side. */
const COPIES_AT_ONCE = 25;

/** Before ids are freed, the effects of their old generations are repeated, all together, and copies of their rows are kept. */
export async function retire(deps: AcceptDeps, old: readonly TaskRow[]): Promise<void> {
  await applyAll(deps, await Promise.all(old.map((row) => effectsOf(deps, row))));
  await sideBySide(old, COPIES_AT_ONCE, (row) => deps.tasks.archive(row));
}
