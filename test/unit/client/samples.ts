import { SluiceError, type Accepted, type ErrorCode, type Problem, type TaskState, type TaskView } from '@sluice/contracts';

export const UID = '01K00000000000000000000000';

export function accepted(id: string, deduplicated = false): Accepted {
  return { id, uid: UID, state: 'waiting', deduplicated };
}

export function problem(code: ErrorCode, details?: Record<string, unknown>): Problem {
  return new SluiceError(code, `it is ${code}`, details && { details }).toProblem();
}

export function task(id: string, state: TaskState): TaskView {
  const at = '2026-01-01T00:00:00.000Z';
  return {
    id,
    uid: UID,
    tenant: 'acme',
    type: 'thumbnail',
    state,
    priority: 'normal',
    labels: {},
    attempts: 1,
    lost: 0,
    throttled: 0,
    runAt: at,
    timeline: { acceptedAt: at, hintedAt: at, attempts: [] },
    ...(state === 'succeeded' && { result: { key: 'b.jpg' } }),
  };
}
