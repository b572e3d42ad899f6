import type { RetryOverride, TaskRow } from '@sluice/contracts';
import canonicalize from 'canonicalize';
import type { Hasher } from '../ports/hasher.ts';
import type { CheckedSubmission } from './validate.ts';

export interface NewRowInput {
  readonly tenant: string;
  /** The new generation; also the id of a task that was submitted without one. */
  readonly uid: string;
  readonly now: number;
  readonly checked: CheckedSubmission;
  readonly hash: Hasher;
}

/** The row of a task that is about to be accepted. Its payload is still empty: it is stored next. */
export function newRow({ tenant, uid, now, checked, hash }: NewRowInput): TaskRow {
  const { submission, at, expiresAt } = checked;
  return {
    v: 1,
    tenant,
    id: submission.id ?? uid,
    uid,
    seq: 0,
    fence: 0,
    type: submission.type,
    priority: submission.priority ?? 'normal',
    state: 'waiting',
    at,
    acceptedAt: now,
    hintedAt: now,
    hash: payloadHash(hash, submission.type, submission.payload),
    payload: { in: 'row', json: 'null' },
    attempts: 0,
    lost: 0,
    throttled: 0,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(submission.labels && Object.keys(submission.labels).length > 0 && { labels: submission.labels }),
    ...(submission.notify && Object.keys(submission.notify).length > 0 && { notify: submission.notify }),
    ...(submission.retry && { retry: toMilliseconds(submission.retry) }),
  };
}

/** Times are kept to the millisecond. A table cannot keep every double: one close to 0 would never be accepted. */
function toMilliseconds(retry: RetryOverride): RetryOverride {
  const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000;
  return {
    ...retry,
    ...(retry.minDelaySeconds !== undefined && { minDelaySeconds: rounded(retry.minDelaySeconds) }),
    ...(retry.maxDelaySeconds !== undefined && { maxDelaySeconds: rounded(retry.maxDelaySeconds) }),
    ...(retry.rules && {
      rules: retry.rules.map((rule) => ({ ...rule, ...(rule.afterSeconds !== undefined && { afterSeconds: rounded(rule.afterSeconds) }) })),
    }),
  };
}

/** Of type and canonical payload (RFC 8785), so that the order of keys makes no other task. */
function payloadHash(hash: Hasher, type: string, payload: unknown): string {
  return hash.sha256(`${type}\n${canonicalize(payload ?? null) ?? 'null'}`);
}
