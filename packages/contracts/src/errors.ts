import * as z from 'zod';

/** Every error code of the API, with its HTTP status and whether the same call may succeed later. */
export const ERROR_CODES = {
  bad_request: { status: 400, retryable: false },
  malformed_json: { status: 400, retryable: false },
  unknown_type: { status: 400, retryable: false },
  bad_cursor: { status: 400, retryable: false },
  payload_too_large: { status: 413, retryable: false },
  body_too_large: { status: 413, retryable: false },
  unknown_queue: { status: 400, retryable: false },
  too_many_tasks: { status: 400, retryable: false },
  not_enabled: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  id_conflict: { status: 409, retryable: false },
  state_conflict: { status: 409, retryable: false },
  too_many_tokens: { status: 409, retryable: false },
  no_webhook_secret: { status: 409, retryable: false },
  too_many_webhook_secrets: { status: 409, retryable: false },
  too_many_schedules: { status: 409, retryable: false },
  too_many_redrives: { status: 409, retryable: false },
  payload_gone: { status: 410, retryable: false },
  throttled: { status: 429, retryable: true },
  rate_limited: { status: 429, retryable: true },
  backlog_full: { status: 429, retryable: true },
  backlog_too_old: { status: 429, retryable: true },
  unavailable: { status: 503, retryable: true },
  internal: { status: 500, retryable: true },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;
export const errorCodeSchema = z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]);

/** RFC 9457 problem details, with the stable `code` that programs match on. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: errorCodeSchema,
  /** What was given, what is allowed and what to do. */
  detail: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/**
 * The one root of Sluice's errors. Recognise it by `code` ({@link isSluiceError}), never by `instanceof`: bundles and
 * copies of this package break identity.
 */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.details = options.details;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }

  toProblem(): Problem {
    return {
      type: `urn:sluice:error:${this.code}`,
      title: this.code.replaceAll('_', ' '),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.details && { details: this.details }),
    };
  }
}

export function isSluiceError(value: unknown): value is SluiceError {
  return value instanceof Error && 'code' in value && typeof value.code === 'string' && value.code in ERROR_CODES;
}
