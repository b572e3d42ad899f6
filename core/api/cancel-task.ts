import { AWS_LIMITS, SluiceError, type Cancelled, type TaskRow } from '@sluice/contracts';
import { placeHints } from '../hints/place.ts';
import { HINT_TIMES } from '../hints/timing.ts';
import type { RowChange } from '../ports/task-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { retainUntil } from '../settle/decide.ts';
import { applyAll, type EffectDeps } from '../settle/effects.ts';
import { effectsOf } from '../settle/effects-of.ts';
import { hintOf, isTerminal } from '../tasks/state.ts';
import { logStep } from '../tasks/step.ts';
import { readRow } from './get-task.ts';
import { viewState } from './view.ts';

export interface CancelDeps extends EffectDeps {
  readonly telemetry: Telemetry;
}

export type CancelDecision =
  /** It has been cancelled, or asked to stop, before. */
  | { readonly do: 'nothing'; readonly state: Cancelled['state'] }
  /** It ended otherwise. */
  | { readonly do: 'refuse' }
  /** It has not started, or waits for its next attempt: it ends here and now. */
  | { readonly do: 'end'; readonly change: RowChange }
  /** It runs: its attempt is asked to stop, and its outcome decides. */
  | { readonly do: 'ask'; readonly change: RowChange };

/** What a cancellation does to a task as it is now. */
export function decideCancel(row: TaskRow, now: number): CancelDecision {
  const state = viewState(row);
  if (state === 'cancelled' || state === 'cancelling') return { do: 'nothing', state };
  if (isTerminal(row.state)) return { do: 'refuse' };
  if (row.state === 'running') return { do: 'ask', change: { set: { cancelAt: now } } };
  return {
    do: 'end',
    change: { set: { state: 'cancelled', reason: 'cancelled', endedAt: now, endedBy: 'hint', ttl: retainUntil(now) } },
  };
}

/** How often others may come first before a cancellation is refused; each time is somebody's progress. */
const MAX_LOOKS = 8;

/**
 * Cancels a task of this tenant. One that waits is `cancelled` when this returns. One that runs is `cancelling`: its
 * attempt is asked to stop through the handler kit, and when it ends, however but with a success, the task is
 * `cancelled`. Repeating the call changes nothing.
 *
 * @throws SluiceError `not_found`; `state_conflict` for a task that has ended otherwise; `unavailable`
 */
export async function cancelTask(deps: CancelDeps, tenant: string, id: string): Promise<Cancelled> {
  for (let look = 0; look < MAX_LOOKS; look++) {
    const row = await readRow(deps, tenant, id);
    const decision = decideCancel(row, deps.clock.now());
    if (decision.do === 'nothing') return { id, uid: row.uid, state: decision.state };
    if (decision.do === 'refuse') {
      throw new SluiceError('state_conflict', `task ${id} has ended as ${row.state}; only a task that waits or runs can be cancelled`, {
        details: { state: row.state },
      });
    }
    if (decision.do === 'end') await hintSoon(deps, row);
    const written = await deps.tasks.update(tenant, id, row, decision.change);
    if (!written.applied) continue;
    logStep(deps.telemetry, decision.do === 'end' ? 'cancelled' : 'cancelling', written.row);
    if (decision.do === 'end') await end(deps, written.row);
    return { id, uid: row.uid, state: decision.do === 'end' ? 'cancelled' : 'cancelling' };
  }
  throw new SluiceError('unavailable', `task ${id} changed ${MAX_LOOKS} times while it was cancelled; cancel it again`);
}

/**
 * What a cancellation leaves undone its predecessor hint repeats. The hint of a task that is far away would come after
 * its row has been deleted, so it gets another one. It comes when this call is over, however it went: one that came
 * before the row is written would find a task to be left alone, and be gone.
 */
async function hintSoon(deps: CancelDeps, row: TaskRow): Promise<void> {
  const now = deps.clock.now();
  if (row.at <= now + AWS_LIMITS.queueDelaySeconds * 1_000) return;
  const [durable] = await placeHints(deps, [
    { tenant: row.tenant, task: { ...hintOf(row, now), at: now + HINT_TIMES.confirmMs, look: true } },
  ]);
  if (durable !== true) throw new SluiceError('unavailable', `the queue did not take the cancellation of task ${row.id}; cancel it again`);
}

async function end(deps: CancelDeps, row: TaskRow): Promise<void> {
  deps.telemetry.count('task.cancelled', row.type);
  try {
    await applyAll(deps, [await effectsOf(deps, row)]);
  } catch (error) {
    // It is cancelled all the same; its hint tells it.
    deps.telemetry.log('warn', 'a cancellation is told later', { tenant: row.tenant, task: row.id, error });
  }
}
