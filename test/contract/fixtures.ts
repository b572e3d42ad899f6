import type { Attempt, Envelope, HintedTask, TaskHint, TaskRow, TaskTypeSpec } from '@sluice/contracts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import type { Permit } from '../../core/ports/permit-store.ts';

/** The two tenants of every suite; one's name begins with the other's, as prefixes of keys must not confuse them. */
export const A = 'acme';
export const B = 'acme-2';

export const NOW = Date.UTC(2026, 4, 1, 12);

const random = createMemoryRandom(42);

export const newUid = (at = NOW): string => random.ulid(at);
export const newNonce = (): string => random.nonce();

export function makeRow(given: Partial<TaskRow> = {}): TaskRow {
  return {
    v: 1,
    tenant: A,
    id: 'order-1',
    uid: newUid(),
    seq: 0,
    fence: 0,
    type: 'thumbnail',
    priority: 'normal',
    state: 'waiting',
    at: NOW,
    acceptedAt: NOW,
    hintedAt: NOW,
    hash: 'k3b1qOqGJv0nF9wJYkYvGv2hYyZlJ0yXb7m2x8s3u4w',
    payload: { in: 'row', json: '{"n":1}' },
    attempts: 0,
    lost: 0,
    throttled: 0,
    ...given,
  };
}

/** What a claim writes. */
export function makeRun(given: Partial<NonNullable<TaskRow['run']>> = {}): NonNullable<TaskRow['run']> {
  return { hint: 0, mode: 'event', claimedAt: NOW, leaseEnd: NOW + 150_000, cell: 0, nonce: newNonce(), ...given };
}

export function makeAttempt(given: Partial<Attempt> = {}): Attempt {
  return { v: 1, uid: newUid(), fence: 1, class: 'retryable', endedAt: NOW, ...given };
}

export function makePermit(given: Partial<Permit> = {}): Permit {
  return { expiry: NOW + 150_000, nonce: newNonce(), ...given };
}

export function makePermits(count: number): readonly Permit[] {
  return Array.from({ length: count }, () => makePermit());
}

export function makeHinted(given: Partial<HintedTask> = {}): HintedTask {
  return { id: 'order-1', uid: newUid(), seq: 0, at: NOW, made: NOW, type: 'thumbnail', priority: 'normal', ...given };
}

export function makeHint(given: Partial<TaskHint> = {}): TaskHint {
  return { v: 1, kind: 'tasks', tenant: A, tasks: [makeHinted()], ...given };
}

export function makeSpec(given: Partial<TaskTypeSpec> = {}): TaskTypeSpec {
  return {
    v: 1,
    type: 'thumbnail',
    handler: { kind: 'lambda', arn: 'arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live' },
    start: 'event',
    timeoutSeconds: 30,
    concurrency: 10,
    retry: { maxAttempts: 5, minDelaySeconds: 1, maxDelaySeconds: 900, factor: 2 },
    dedupWindowSeconds: 1_209_600,
    ...given,
  };
}

export function makeEnvelope(given: Partial<Envelope> = {}, sluice: Partial<Envelope['sluice']> = {}): Envelope {
  return {
    payload: { n: 1 },
    ...given,
    sluice: {
      version: 1,
      tenant: A,
      task: 'order-1',
      uid: newUid(),
      type: 'thumbnail',
      fence: 1,
      attempt: 1,
      deadline: NOW + 30_000,
      ...sluice,
    },
  };
}
