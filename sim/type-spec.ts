import type { TaskTypeSpec } from '@sluice/contracts';

/** Few attempts, soon one after the other. */
export const RETRY = { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 30, factor: 3 };

/** A task type with small numbers. */
export function typeSpec(type: string, over: Partial<TaskTypeSpec> = {}): TaskTypeSpec {
  return {
    v: 1,
    type,
    handler: { kind: 'lambda', arn: `arn:aws:lambda:us-east-1:000000000000:function:${type}:sluice` },
    start: 'event',
    timeoutSeconds: 30,
    concurrency: 100,
    retry: { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
    dedupWindowSeconds: 86_400,
    ...over,
  };
}
