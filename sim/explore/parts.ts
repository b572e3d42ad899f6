import type { TaskTypeSpec } from '@sluice/contracts';
import { FAULT_KINDS, type ClientCall } from './config.ts';

/** A type of a small world. */
export function type(name: string, over: Partial<TaskTypeSpec> = {}): TaskTypeSpec {
  return {
    v: 1,
    type: name,
    handler: { kind: 'lambda', arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}:sluice` },
    start: 'event',
    timeoutSeconds: 10,
    concurrency: 1,
    // What is counted of attempts would make a new world of each.
    adaptive: false,
    retry: { maxAttempts: 2, minDelaySeconds: 1, maxDelaySeconds: 1, factor: 1 },
    dedupWindowSeconds: 86_400,
    ...over,
  };
}

export const ONCE = { maxAttempts: 1, minDelaySeconds: 1, maxDelaySeconds: 1, factor: 1 };

export const submit = (id: string, of: string, more: Partial<{ delaySeconds: number; expiresSeconds: number }> = {}): ClientCall => ({
  call: 'submit',
  tasks: [{ id, type: of, ...more }],
});

/** What most questions have in common. */
export const BASE = { workers: 2, faults: 1, kinds: FAULT_KINDS, throttles: 0, endings: ['ok', 'err'] } as const;
