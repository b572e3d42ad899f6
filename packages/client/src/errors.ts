import { ERROR_CODES, problemSchema } from '@sluice/contracts';
import type { ErrorCode, Problem, TaskView } from '@sluice/contracts';
import * as z from 'zod';

/** What kind of error it is. Match on this rather than with `instanceof`: two copies of a package break identity. */
export type ClientErrorKind = 'api' | 'connection' | 'schema_mismatch' | 'wait_timeout';

/** A code of the API. A platform newer than this client may answer with one that is not among {@link ErrorCode}. */
export type ApiErrorCode = ErrorCode | (string & {});

/** RFC 9457 problem details, as the API answered them. */
export interface ApiProblem extends Omit<Problem, 'code'> {
  /** The stable code to match on. */
  code: ApiErrorCode;
}

/** The same in every copy of this package. */
const BRAND = Symbol.for('@sluice/client.error');

/** The root of every error that this client throws, but for wrong arguments (`TypeError`) and the caller's own abort. */
export abstract class ClientError extends Error {
  abstract readonly kind: ClientErrorKind;
  /** Whether the same call, with the same id, may succeed later. */
  abstract readonly retryable: boolean;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** What an {@link ApiError} knows beside its status and problem. */
export interface ApiErrorOptions {
  /** The body of an answer that is no problem; its first 500 characters become the message. */
  readonly text?: string;
  readonly retryAfterSeconds?: number | undefined;
}

/** The API answered, and its answer is an error. Each status of the API has a subclass; match on {@link code}. */
export class ApiError extends ClientError {
  override readonly name: string = 'ApiError';
  readonly kind = 'api';
  /** The HTTP status. */
  readonly status: number;
  /** The stable code: the API's own, or the one nearest to the status where something before the API answered. */
  readonly code: ApiErrorCode;
  /** The whole answer, where the API itself gave it. */
  readonly problem: ApiProblem | undefined;
  /** Seconds that the API asked to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, problem: ApiProblem | undefined, options: ApiErrorOptions = {}) {
    const code = problem?.code ?? codeOfStatus(status);
    super(`${status} ${code}: ${problem?.detail || options.text?.slice(0, 500) || 'no explanation was given'}`);
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get retryable(): boolean {
    // Of a gateway's own answer, and of a code that is newer than this client, the status says enough.
    if (this.problem && isKnown(this.code)) return ERROR_CODES[this.code].retryable;
    return this.status === 429 || this.status >= 500;
  }
}

/** 400: the call itself is wrong: `bad_request`, `malformed_json`, `unknown_type`, `bad_cursor`, `too_many_tasks`, `not_enabled`. */
export class BadRequestError extends ApiError {
  override readonly name = 'BadRequestError';
}

/** 401: the token is missing, unknown or expired. */
export class UnauthorizedError extends ApiError {
  override readonly name = 'UnauthorizedError';
}

/** 403: the token lacks the scope for this call. */
export class ForbiddenError extends ApiError {
  override readonly name = 'ForbiddenError';
}

/** 404: this tenant has no such task or token. */
export class NotFoundError extends ApiError {
  override readonly name = 'NotFoundError';
}

/** 409: it is against what there is: `id_conflict`, `state_conflict`, `too_many_tokens`. */
export class ConflictError extends ApiError {
  override readonly name = 'ConflictError';
}

/** 410: `payload_gone`: the payload to run again with has been deleted. */
export class GoneError extends ApiError {
  override readonly name = 'GoneError';
}

/** 413: `payload_too_large`, `body_too_large`. */
export class PayloadTooLargeError extends ApiError {
  override readonly name = 'PayloadTooLargeError';
}

/** 429: too much for now; `code` says of what: `throttled`, `rate_limited`, … The client has repeated the call as often as it may. */
export class ThrottledError extends ApiError {
  override readonly name = 'ThrottledError';
}

/** 500 and above: the platform failed. The client has repeated the call as often as it may. */
export class ServerError extends ApiError {
  override readonly name = 'ServerError';
}

/** No complete answer came: refused, cut, or out of time. Whether the call had an effect is unknown; ids make it safe to repeat. */
export class ConnectionError extends ClientError {
  override readonly name = 'ConnectionError';
  readonly kind = 'connection';
  readonly retryable = true;
}

/** A success whose body is not what this version of the client knows. Repeating the call does not help: update the client. */
export class SchemaMismatchError extends ClientError {
  override readonly name = 'SchemaMismatchError';
  readonly kind = 'schema_mismatch';
  readonly retryable = false;
  /** The first 1,000 characters of the body. */
  readonly body: string;

  constructor(message: string, body: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.body = body.slice(0, 1_000);
  }
}

/** The task was not terminal in time. It goes on regardless; wait again for it. */
export class WaitTimeoutError extends ClientError {
  override readonly name = 'WaitTimeoutError';
  readonly kind = 'wait_timeout';
  readonly retryable = true;
  /** The task as it was last seen. */
  readonly task: TaskView;

  constructor(task: TaskView, timeoutSeconds: number) {
    super(`task ${task.id} is still ${task.state} after ${timeoutSeconds} s; wait again, or give a longer timeoutSeconds`);
    this.task = task;
  }
}

/** Whether a value is an error of this client, from whichever copy of the package. Its `kind` then says which. */
export function isClientError(value: unknown): value is ApiError | ConnectionError | SchemaMismatchError | WaitTimeoutError {
  return value instanceof Error && (value as { [BRAND]?: unknown })[BRAND] === true;
}

/** A problem of whichever code, so that a code which is newer than this client is no mismatch. */
export const anyProblemSchema: z.ZodType<ApiProblem> = problemSchema.extend({ code: z.string().min(1) });

/** The error of an answer that is not a success. */
export function apiErrorOf(status: number, text: string, retryAfterSeconds: number | undefined): ApiError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const parsed = anyProblemSchema.safeParse(body);
  return newApiError(status, parsed.success ? parsed.data : undefined, { text, retryAfterSeconds });
}

/** An error of the class of its status. */
export function newApiError(status: number, problem: ApiProblem | undefined, options: ApiErrorOptions = {}): ApiError {
  const ErrorOfStatus = BY_STATUS[status] ?? (status >= 500 ? ServerError : ApiError);
  return new ErrorOfStatus(status, problem, options);
}

const BY_STATUS: Readonly<Record<number, typeof ApiError>> = {
  400: BadRequestError,
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  410: GoneError,
  413: PayloadTooLargeError,
  429: ThrottledError,
};

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** API Gateway, the authorizer and proxies answer without a code. */
function codeOfStatus(status: number): ErrorCode {
  const byStatus: Readonly<Record<number, ErrorCode>> = {
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not_found',
    409: 'id_conflict',
    413: 'body_too_large',
    429: 'throttled',
    500: 'internal',
  };
  return byStatus[status] ?? (status >= 500 ? 'unavailable' : 'bad_request');
}
