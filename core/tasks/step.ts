import type { TaskRow } from '@sluice/contracts';
import type { Telemetry } from '../ports/telemetry.ts';

/** What may happen to a task, as whoever develops follows it. */
export type TaskStep =
  | 'accepted'
  | 'deduplicated'
  | 'refused'
  | 'parked'
  | 'started'
  | 'succeeded'
  | 'retrying'
  | 'excused'
  | 'throttled'
  | 'preempting'
  | 'preempted'
  | 'undone'
  | 'lost'
  | 'failed'
  | 'expired'
  | 'cancelling'
  | 'cancelled'
  | 'late success';

type Named = Pick<TaskRow, 'tenant' | 'id' | 'type'> & Partial<Pick<TaskRow, 'uid' | 'fence' | 'attempts'>>;

/** One line a step, at level `debug`: in production the row's timeline tells the same and costs nothing more. */
export function logStep(telemetry: Telemetry, step: TaskStep, task: Named, fields: Record<string, unknown> = {}): void {
  const { tenant, id, type, uid, fence } = task;
  telemetry.log('debug', 'task', { step, tenant, task: id, type, uid, fence, ...fields });
}
