import { ERROR_CODES, LIMITS } from '@sluice/contracts';
import type { ErrorCode, Submission } from '@sluice/contracts';
import { ulid } from 'ulid';
import { ApiError } from './errors.ts';

/** A submission as it goes over the wire. */
export interface Encoded {
  readonly id: string;
  readonly json: string;
  /** Of `json`, in UTF-8. */
  readonly bytes: number;
}

const utf8 = new TextEncoder();

/**
 * Gives a submission its id and writes it as JSON, once: every repeat then sends the same bytes, so that it is the
 * same task. Without an id of the caller's it gets a ULID.
 *
 * @throws ApiError the one that the API would answer with, for what JSON cannot hold or one call cannot carry
 */
export function encode(submission: Submission): Encoded {
  const id = submission.id ?? ulid();
  let json: string;
  try {
    json = JSON.stringify({ ...submission, id });
  } catch (cause) {
    throw refusal('bad_request', `the payload of ${id} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const bytes = utf8.encode(json).length;
  if (bytes > LIMITS.bodyBytes) {
    throw refusal('body_too_large', `task ${id} has ${bytes} bytes; a call carries at most ${LIMITS.bodyBytes}`);
  }
  return { id, json, bytes };
}

function refusal(code: ErrorCode, detail: string): ApiError {
  const { status } = ERROR_CODES[code];
  return new ApiError(status, { type: `urn:sluice:error:${code}`, title: code.replaceAll('_', ' '), status, code, detail });
}
