import { limitMessage, LIMITS, SluiceError, submissionSchema, systemSubmissionSchema, type Submission } from '@sluice/contracts';
import * as z from 'zod';
import { byteLength } from '../tasks/values.ts';

/** A submission whose every field has been checked and whose times are instants. */
export interface CheckedSubmission {
  readonly submission: Submission;
  /** The payload as JSON text. */
  readonly json: string;
  /** ms: not before. */
  readonly at: number;
  readonly expiresAt: number | undefined;
}

/** Who submits: a caller of the API, or the platform itself, to whom names are reserved. */
export type Submitter = 'caller' | 'platform';

/** Checks one submission. @throws SluiceError that says what was given, what is allowed and what to do. */
export function checkSubmission(input: unknown, now: number, by: Submitter = 'caller'): CheckedSubmission {
  const parsed = (by === 'caller' ? submissionSchema : systemSubmissionSchema).safeParse(input, { error: limitMessage });
  if (!parsed.success)
    throw new SluiceError('bad_request', z.prettifyError(parsed.error), { details: { issues: parsed.error.issues.length } });
  const submission = parsed.data;
  // The schema leaves it out in silence; a label that is accepted is kept.
  if (Object.hasOwn((input as Submission).labels ?? {}, '__proto__')) {
    throw new SluiceError('bad_request', 'a label cannot be named "__proto__"; choose another key');
  }
  // First: deep enough, a payload overflows the stack of whatever walks it.
  const flaw = flawOf(submission.payload, LIMITS.payloadDepth);
  if (flaw) throw new SluiceError('bad_request', flaw);
  const json = JSON.stringify(submission.payload ?? null);
  const bytes = byteLength(json);
  if (bytes > LIMITS.payloadBytes) {
    throw new SluiceError(
      'payload_too_large',
      `the payload is ${bytes} bytes of JSON; at most ${LIMITS.payloadBytes} are allowed. Put the input into an S3 object of your own and its bucket and key into the payload`,
      { details: { given: bytes, limit: LIMITS.payloadBytes } },
    );
  }
  const at = startOf(submission, now);
  const latest = now + LIMITS.delaySeconds * 1000;
  if (at > latest) {
    throw new SluiceError(
      'bad_request',
      `runAt ${new Date(at).toISOString()} is too far away; the latest is ${new Date(latest).toISOString()}, ${LIMITS.delaySeconds} seconds from now: submit it later`,
    );
  }
  const expiresAt = submission.expiresAt === undefined ? undefined : Date.parse(submission.expiresAt);
  if (expiresAt !== undefined && expiresAt <= Math.max(at, now)) {
    throw new SluiceError(
      'bad_request',
      `expiresAt ${submission.expiresAt} is not after the task's start at ${new Date(Math.max(at, now)).toISOString()}`,
    );
  }
  return { submission, json, at, expiresAt };
}

/** In the past means now. */
function startOf(submission: Submission, now: number): number {
  if (submission.runAt !== undefined) return Math.max(now, Date.parse(submission.runAt));
  return now + Math.round((submission.delaySeconds ?? 0) * 1000);
}

/** What keeps a payload from being stored and read back as it is (RFC 8785); `undefined` when nothing does. */
function flawOf(value: unknown, depth: number): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return 'the payload has a number beyond a double (about 1.8e308); send it as a string';
  }
  if (typeof value === 'string' && !value.isWellFormed()) {
    return 'the payload has half of a surrogate pair (a lone \\ud800 to \\udfff); send whole characters, or bytes as base64';
  }
  // Lambda reports an asynchronous attempt through a queue, with its payload, and SQS refuses these two: the report is lost.
  if (typeof value === 'string' && /[\ufffe\uffff]/.test(value)) {
    return 'the payload has U+FFFE or U+FFFF, which are no characters; leave them out, or send bytes as base64';
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth === 0) return `the payload is nested deeper than ${LIMITS.payloadDepth} levels; flatten it or send it as one JSON string`;
  for (const [key, inner] of Object.entries(value)) {
    const flaw = flawOf(key, depth) ?? flawOf(inner, depth - 1);
    if (flaw) return flaw;
  }
  return undefined;
}
