import type { Accepted, SystemType } from '@sluice/contracts';
import { acceptTasks, type AcceptDeps } from '../submit/submit.ts';

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
  deps: AcceptDeps,
  tenant: string,
  { type, id, payload, at, labels }: SystemSubmission,
): Promise<Accepted> {
  const submission = { type, id, payload, ...(at !== undefined && { runAt: new Date(at).toISOString() }), ...(labels && { labels }) };
  const [result] = await acceptTasks(deps, tenant, [submission], 'platform', tellsNobody);
  if (!result?.ok) throw result?.error ?? new Error('a submission without a result');
  return result.task;
}

/** The platform's own tasks name no receivers: a notification of a notification would have no end. */
async function tellsNobody(): Promise<void> {}
