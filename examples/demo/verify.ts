import type { TaskView } from '@sluice/contracts';
import type { Expected } from './workload.ts';

/** What is wrong with how a task ended; `undefined` when it ended as it should. */
export function deviation(task: TaskView, expect: Expected): string | undefined {
  if (task.state !== expect.state) return `${task.state}${task.reason ? ` (${task.reason})` : ''} in place of ${expect.state}`;
  if (expect.reason !== undefined && task.reason !== expect.reason) return `reason ${task.reason} in place of ${expect.reason}`;
  if (expect.attempts !== undefined && task.attempts !== expect.attempts) return `${task.attempts} attempts in place of ${expect.attempts}`;
  if (expect.throttled !== undefined && task.throttled < expect.throttled)
    return `throttled ${task.throttled} times in place of ${expect.throttled}`;
  return undefined;
}

export interface Times {
  /** ms from the time that it was due to its first claim. */
  readonly waiting: number | undefined;
  /** ms that its last attempt ran; from its claim where the handler does not tell when it began. */
  readonly running: number | undefined;
}

export function timesOf(task: TaskView): Times {
  const { attempts, endedAt } = task.timeline;
  const first = attempts[0]?.claimedAt;
  const last = attempts.at(-1);
  const began = last?.startedAt ?? last?.claimedAt;
  const ended = last?.settledAt ?? endedAt;
  return {
    waiting: first === undefined ? undefined : Math.max(0, Date.parse(first) - Date.parse(task.runAt)),
    running: began === undefined || ended === undefined ? undefined : Date.parse(ended) - Date.parse(began),
  };
}

/** The value that a share of them does not exceed (nearest rank). */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
