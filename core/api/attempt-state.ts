import type { AttemptAnswer, AttemptQuestion, TaskRow } from '@sluice/contracts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { PermitStore } from '../ports/permit-store.ts';
import type { TaskStore } from '../ports/task-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { isPreemptible, wantsRoom } from '../priority/preempt.ts';
import { logStep } from '../tasks/step.ts';

export interface AttemptDeps {
  readonly tasks: TaskStore;
  readonly types: TypeRegistry;
  readonly permits: PermitStore;
  readonly backlog: Pick<BacklogStore, 'first'>;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Whether an attempt shall go on. The key is the nonce of its claim, which only the attempt and its row know; whoever
 * does not prove itself learns nothing: to it every attempt is over. Where its lane wants room, the attempt that asks is the one
 * that makes it.
 */
export async function attemptState(deps: AttemptDeps, question: AttemptQuestion): Promise<AttemptAnswer['state']> {
  const row = await deps.tasks.get(question.tenant, question.task);
  if (!isLive(row, question)) return 'over';
  if (row.cancelAt !== undefined) return 'cancelling';
  if (row.preemptAt !== undefined) return 'preempting';
  return (await preempt(deps, row)) ? 'preempting' : 'running';
}

function isLive(row: TaskRow | undefined, { uid, fence, key }: AttemptQuestion): row is TaskRow {
  return row?.state === 'running' && row.uid === uid && row.fence === fence && row.run?.nonce === key;
}

/**
 * The attempt is told to stop only once its row says so: what it then comes to is free. A mark that is lost to another write is
 * not made again: whoever waits is served by the next permit, or the next attempt that asks.
 */
async function preempt({ tasks, types, permits, backlog, clock, telemetry }: AttemptDeps, row: TaskRow): Promise<boolean> {
  if (row.priority !== 'low' || !isPreemptible(row, await types.get(row.type))) return false;
  const lane = { tenant: row.tenant, type: row.type };
  if (!wantsRoom(await permits.read(lane, 0))) return false;
  const [first] = await backlog.first(lane, 1);
  if (first?.priority !== 'high' || !(await permits.preempt(lane, 0))) return false;
  const marked = await tasks.update(row.tenant, row.id, row, { set: { preemptAt: clock.now() } });
  if (marked.applied) logStep(telemetry, 'preempting', marked.row);
  return marked.applied;
}
