import { isSluiceError, SluiceError, type Accepted, type ScheduleRecord, type ScheduleTask, type Submission } from '@sluice/contracts';
import { isTerminal } from '../tasks/state.ts';
import { submitTasks } from '../submit/submit.ts';
import type { OccurrenceDeps, ScheduleDeps } from './arm.ts';

/** What an occurrence's task came to: it is there, or it never will be. */
export type Submitted = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The id of an occurrence's task, the same for the same occurrence: `nightly@2026-01-01T02:30:00Z`. */
export function taskIdOf(name: string, at: number): string {
  return `${name}@${new Date(at).toISOString().replace('.000Z', 'Z')}`;
}

export function taskOf({ spec }: Pick<ScheduleRecord, 'spec'>): ScheduleTask {
  return JSON.parse(spec.task) as ScheduleTask;
}

function submissionOf(record: ScheduleRecord, id: string, now: number): Submission {
  const { expiresAfterSeconds, ...task } = taskOf(record);
  return { ...task, id, ...(expiresAfterSeconds !== undefined && { expiresAt: new Date(now + expiresAfterSeconds * 1000).toISOString() }) };
}

class HasRun extends Error {
  override readonly name = 'HasRun';
}

/**
 * Submits the task of an occurrence once and for all. A repeat finds the task even if it has failed meanwhile, which
 * would free its id for anybody else.
 * @throws SluiceError that is retryable, when nothing is known
 */
export async function submitOccurrence(deps: OccurrenceDeps, record: ScheduleRecord, at: number): Promise<Submitted> {
  let hasRun = false;
  const replace = async (): Promise<never> => {
    hasRun = true;
    throw new HasRun();
  };
  const once = { ...deps, tasks: { ...deps.tasks, replace } };
  const id = taskIdOf(record.name, at);
  const [result] = await submitTasks(once, record.tenant, [submissionOf(record, id, deps.clock.now())]);
  if (result?.ok || hasRun) return { ok: true };
  const error = result?.error ?? new SluiceError('internal', 'a submission without a result');
  if (error.retryable) throw error;
  return { ok: false, reason: `${error.code}: ${error.message}`.slice(0, 500) };
}

/** Submits a task beside the occurrences. @throws SluiceError as a submission does */
export async function submitNow(deps: OccurrenceDeps, record: ScheduleRecord, id: string): Promise<Accepted> {
  const [result] = await submitTasks(deps, record.tenant, [submissionOf(record, id, deps.clock.now())]);
  if (!result?.ok) throw result?.error ?? new SluiceError('internal', 'a submission without a result');
  return result.task;
}

/** Those of a schedule's tasks that have not ended. */
export async function stillOpen(deps: Pick<ScheduleDeps, 'tasks'>, tenant: string, ids: readonly string[]): Promise<readonly string[]> {
  const rows = await Promise.all(ids.map((id) => deps.tasks.get(tenant, id)));
  return ids.filter((_, i) => {
    const row = rows[i];
    return row !== undefined && !isTerminal(row.state);
  });
}

/** A task that has ended, or is gone, needs no cancellation. */
export function isOver(error: unknown): boolean {
  return isSluiceError(error) && (error.code === 'state_conflict' || error.code === 'not_found');
}
