import type { EndReason, ErrorCode, Submission, TerminalState } from '@sluice/contracts';
import { TENANTS } from './tokens.ts';

/** What a task of the demo must come to; what is not named is not looked at. */
export interface Expected {
  readonly state: TerminalState;
  readonly reason?: EndReason;
  readonly attempts?: number;
  /** At least so many throttled attempts, none of them charged. */
  readonly throttled?: number;
}

export interface Job {
  readonly tenant: string;
  readonly submission: Submission & { id: string };
  readonly expect: Expected;
}

/** A submission that must not make a task: a repeat that finds one, or one that is refused. */
export interface Extra {
  readonly tenant: string;
  readonly submission: unknown;
  readonly expect: { readonly duplicateOf: string } | { readonly code: ErrorCode };
}

export interface Input {
  readonly bucket: string;
  readonly photos: readonly string[];
  readonly csv: { readonly large: string; readonly small: string };
  /** ms */
  readonly now: number;
}

const OK: Expected = { state: 'succeeded', attempts: 1 };
const TEXTS = [
  'It\u2019s  a \u201csmall\u201d  world \u2026',
  'line one\r\nline two\u00a0\u2013 done',
  'plain text',
  'Ünïcödé and emoji 🎉',
];

/** A mixed day of three tenants: real work, delays, and every way in which a handler can misbehave. */
export function makeJobs(input: Input): Job[] {
  return TENANTS.flatMap((tenant, t) => {
    const jobs: Job[] = [];
    const add = (count: number, name: string, make: (n: number) => Omit<Submission, 'id'>, expect: Expected = OK) => {
      for (let n = 0; n < count; n++) jobs.push({ tenant, submission: { ...make(n), id: `${name}-${n}` }, expect });
    };
    const unruly = (type: string, behaviour: string, ms?: number) => ({
      type,
      payload: { do: behaviour, ...(ms !== undefined && { ms }) },
    });

    add(8, 'photo', (n) => ({
      type: 'thumbnail',
      payload: { bucket: input.bucket, key: input.photos[n % input.photos.length], sizes: [64 + n, 320] },
    }));
    add(40, 'mail', (n) => ({
      type: 'send-email',
      payload: { to: `user${n}@${tenant}.example`, subject: `Invoice ${n}`, text: 'Attached.' },
      labels: { campaign: 'invoices' },
    }));
    add(60, 'text', (n) => ({
      type: 'clean-text',
      payload: { text: `${TEXTS[n % TEXTS.length]} ${n}` },
      priority: (['high', 'normal', 'low'] as const)[n % 3],
    }));
    add(1, 'import', () => ({ type: 'import-csv', payload: { bucket: input.bucket, key: t === 0 ? input.csv.large : input.csv.small } }));
    add(20, 'later', (n) => ({ ...unruly('unruly-wait', 'ok'), delaySeconds: 1 + (n % 5) }));
    // A lane of two that is busy for some seconds: the rest of it waits in its backlog.
    add(4, 'narrow-slow', () => unruly('narrow', 'slow', 2_500));
    add(16, 'narrow', () => unruly('narrow', 'slow', 100));
    // They may start within a millisecond of their time, or not at all.
    const runAt = new Date(input.now + 20_000).toISOString();
    const expiresAt = new Date(input.now + 20_001).toISOString();
    add(4, 'expiring', () => ({ ...unruly('unruly', 'ok'), runAt, expiresAt }), { state: 'expired', reason: 'expired', attempts: 0 });
    add(6, 'flaky', () => unruly('unruly', 'throw-once'), { state: 'succeeded', attempts: 2 });
    add(6, 'flaky-wait', () => unruly('unruly-wait', 'throw-once'), { state: 'succeeded', attempts: 2 });
    add(6, 'throttled', () => unruly('unruly', 'throttle-once'), { ...OK, throttled: 1 });
    add(6, 'throttled-wait', () => unruly('unruly-wait', 'throttle-once'), { ...OK, throttled: 1 });
    add(2, 'crashing', () => unruly('unruly', 'exit'), { state: 'failed', reason: 'quarantined', attempts: 3 });
    add(2, 'hanging', () => ({ ...unruly('unruly', 'hang'), retry: { maxAttempts: 2 } }), {
      state: 'failed',
      reason: 'attempts_exhausted',
      attempts: 2,
    });
    add(1, 'hanging-wait', () => ({ ...unruly('unruly-wait', 'hang'), retry: { maxAttempts: 1 } }), {
      state: 'failed',
      reason: 'attempts_exhausted',
      attempts: 1,
    });
    add(4, 'fatal', () => unruly('unruly', 'fatal'), { state: 'failed', reason: 'fatal', attempts: 1 });
    add(2, 'no-photo', () => ({ type: 'thumbnail', payload: { bucket: input.bucket, key: 'photos/none.jpg', sizes: [64] } }), {
      state: 'failed',
      reason: 'fatal',
      attempts: 1,
    });
    return jobs;
  });
}

/** Repeats and mistakes, submitted while the jobs are under way. */
export function makeExtras(): Extra[] {
  return TENANTS.flatMap((tenant): Extra[] => [
    ...Array.from({ length: 10 }, (_, n): Extra => ({
      tenant,
      submission: { type: 'unruly', id: `flaky-${n % 6}`, payload: { do: 'throw-once' } },
      expect: { duplicateOf: `flaky-${n % 6}` },
    })),
    { tenant, submission: { type: 'unruly', id: 'flaky-0', payload: { do: 'ok' } }, expect: { code: 'id_conflict' } },
    { tenant, submission: { type: 'no-such-type' }, expect: { code: 'unknown_type' } },
    { tenant, submission: { type: 'unruly', priority: 'urgent' }, expect: { code: 'bad_request' } },
    { tenant, submission: { type: 'clean-text', payload: { text: 'x'.repeat(1_100_000) } }, expect: { code: 'payload_too_large' } },
  ]);
}
