import { ERROR_CODES, problemSchema } from '@sluice/contracts';
import type { ErrorCode, Problem, TaskView } from '@sluice/contracts';

/** What kind of error it is. Match on this rather than with `instanceof`: two copies of a package break identity. */
export type ClientErrorKind = 'api' | 'connection' | 'schema_mismatch' | 'wait_timeout';

/** The root of every error that this client throws, but for wrong arguments (`TypeError`) and the caller's own abort. */
export abstract class ClientError extends Error {
  abstract readonly kind: ClientErrorKind;
  /** Whether the same call, with the same id, may succeed later. */
  abstract readonly retryable: boolean;
}

/** The API answered, and its answer is an error. */
export class ApiError extends ClientError {
  override readonly name = 'ApiError';
  readonly kind = 'api';
  /** The HTTP status. */
  readonly status: number;
  /** The stable code: the API's own, or the one nearest to the status where something before the API answered. */
  readonly code: ErrorCode;
  /** The whole answer, where the API itself gave it. */
  readonly problem: Problem | undefined;
  /** Seconds that the API asked to wait before the next try. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, problem: Problem | undefined, options: { text?: string; retryAfterSeconds?: number | undefined } = {}) {
    const code = problem?.code ?? codeOfStatus(status);
    super(`${status} ${code}: ${problem?.detail ?? (options.text?.slice(0, 500) || 'no explanation was given')}`);
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get retryable(): boolean {
    // Some gateways in front of an API answer with codes of their own; the status says enough.
    return this.problem ? ERROR_CODES[this.code].retryable : this.status === 429 || this.status >= 500;
  }
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
  /** The beginning of the body. */
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

/** Whether a value is an error of this client, from whichever copy of the package. */
export function isClientError(value: unknown): value is ApiError | ConnectionError | SchemaMismatchError | WaitTimeoutError {
  const names = ['ApiError', 'ConnectionError', 'SchemaMismatchError', 'WaitTimeoutError'];
  return value instanceof Error && 'kind' in value && names.includes(value.name);
}

/** The error of an answer that is not a success. */
export function apiErrorOf(status: number, text: string, retryAfterSeconds: number | undefined): ApiError {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const parsed = problemSchema.safeParse(body);
  return new ApiError(status, parsed.success ? parsed.data : undefined, { text, retryAfterSeconds });
}

/** API Gateway, the authorizer and proxies answer without a code. */
function codeOfStatus(status: number): ErrorCode {
  const byStatus: Record<number, ErrorCode> = {
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
