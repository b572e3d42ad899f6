import type { TaskView } from '@sluice/contracts';
import { ApiError, type SluiceClient, type SubmissionOf, type AnyTasks } from '@sluice/client';
import type { Refusal, Report } from './report.ts';
import { deviation } from './verify.ts';
import type { Extra, Job } from './workload.ts';

export interface Workload {
  /** A client with the token of a tenant. */
  readonly client: (tenant: string) => SluiceClient;
  readonly jobs: (now: number) => readonly Job[];
  readonly extras: readonly Extra[];
  readonly onProgress: (done: number, all: number) => void;
}

/** Tasks that are waited for at once. */
const WAITS = 6;
/** Seconds that one task may take. */
const PATIENCE_SECONDS = 180;

/** Submits the jobs of all tenants, the repeats and mistakes among them, and waits for every task's end. */
export async function runWorkload({ client, jobs: makeJobs, extras, onProgress }: Workload): Promise<Report> {
  const began = Date.now();
  const jobs = makeJobs(began);
  const unexpected: string[] = [];
  const tenants = [...new Set(jobs.map((job) => job.tenant))];
  await Promise.all(
    tenants.map(async (tenant) => {
      const own = jobs.filter((job) => job.tenant === tenant);
      const { failures } = await client(tenant).submitMany(own.map((job) => job.submission as SubmissionOf<AnyTasks>));
      for (const { id, error } of failures) unexpected.push(`${tenant} ${id}: ${error.message}`);
    }),
  );
  const refusals: Refusal[] = [];
  let deduplicated = 0;
  for (const extra of extras) {
    const { problem, found } = await submitExtra(client(extra.tenant), extra);
    if (problem) refusals.push(problem);
    if (found) deduplicated += 1;
    const expected = 'code' in extra.expect ? problem?.code === extra.expect.code : found;
    if (!expected) unexpected.push(`${extra.tenant}: ${JSON.stringify(extra.expect)}, but ${problem?.code ?? 'it was accepted as new'}`);
  }

  const tasks: TaskView[] = [];
  const queue = [...jobs];
  const waiter = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      const { tenant, submission, expect } = job;
      try {
        const task: TaskView = await client(tenant).wait(submission.id, { timeoutSeconds: PATIENCE_SECONDS });
        tasks.push(task);
        const wrong = deviation(task, expect);
        if (wrong) unexpected.push(`${tenant} ${submission.id}: ${wrong}${task.error ? `: ${task.error.message}` : ''}`);
      } catch (error) {
        unexpected.push(`${tenant} ${submission.id}: ${error instanceof Error ? error.message : String(error)}`);
      }
      onProgress(tasks.length, jobs.length);
    }
  };
  await Promise.all(Array.from({ length: WAITS }, waiter));
  return { tasks, refusals, deduplicated, unexpected, seconds: (Date.now() - began) / 1000 };
}

async function submitExtra(client: SluiceClient, extra: Extra): Promise<{ problem?: Refusal; found?: boolean }> {
  try {
    const accepted = await client.submit(extra.submission as SubmissionOf<AnyTasks>);
    return { found: accepted.deduplicated && 'duplicateOf' in extra.expect && accepted.id === extra.expect.duplicateOf };
  } catch (error) {
    if (error instanceof ApiError) return { problem: { code: error.code ?? String(error.status), detail: error.message } };
    throw error;
  }
}
