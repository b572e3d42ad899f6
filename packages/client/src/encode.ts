import { ERROR_CODES, LIMITS } from '@sluice/contracts';
import type { ErrorCode, Submission } from '@sluice/contracts';
import { ulid } from 'ulid';
import { newApiError } from './errors.ts';
import type { ApiError } from './errors.ts';

/** A submission as it goes over the wire. */
export interface Encoded {
  readonly id: string;
  readonly json: string;
  /** Of `json`, in UTF-8. */
  readonly bytes: number;
}

const utf8 = new TextEncoder();
/** Most tasks are small: measured into this, they leave no garbage outside the heap, which a stream of many would. */
const scratch = new Uint8Array(16_384);

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
    json = JSON.stringify(submission.id === undefined ? { ...submission, id } : submission);
  } catch (cause) {
    throw refusal('bad_request', `the payload of ${id} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const bytes = utf8Bytes(json);
  if (bytes > LIMITS.bodyBytes) {
    throw refusal('body_too_large', `task ${id} has ${bytes} bytes; a call carries at most ${LIMITS.bodyBytes}`);
  }
  return { id, json, bytes };
}

function utf8Bytes(text: string): number {
  // A character has three bytes at the most.
  return text.length * 3 <= scratch.length ? utf8.encodeInto(text, scratch).written : utf8.encode(text).length;
}

function refusal(code: ErrorCode, detail: string): ApiError {
  const { status } = ERROR_CODES[code];
  return newApiError(status, { type: `urn:sluice:error:${code}`, title: code.replaceAll('_', ' '), status, code, detail });
}
