import type { Accepted, SystemType } from '@sluice/contracts';
import { submitTasks, type SubmitDeps } from '../submit/submit.ts';

export interface SystemSubmission {
  readonly type: SystemType;
  /** Of {@link systemId}: the same id is the same task, however often it is submitted. */
  readonly id: string;
  /** JSON. The same for the same id. */
  readonly payload: unknown;
  /** ms: not before. @default now */
  readonly at?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Submits a task of the platform itself in a tenant's name. Repeatable: a repeat finds the task that exists, unless that
 * one has failed, which frees its id.
 * @throws SluiceError as a submission does
 */
export async function submitSystemTask(
  deps: SubmitDeps,
  tenant: string,
  { type, id, payload, at, labels }: SystemSubmission,
): Promise<Accepted> {
  const submission = { type, id, payload, ...(at !== undefined && { runAt: new Date(at).toISOString() }), ...(labels && { labels }) };
  const [result] = await submitTasks(deps, tenant, [submission], 'platform');
  if (!result?.ok) throw result?.error ?? new Error('a submission without a result');
  return result.task;
}
