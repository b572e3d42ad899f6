/**
 * The errors by which a handler says what is to become of the task. They are recognised by `name` or `code`, never by
 * `instanceof`: a bundle may hold two copies of this package. A class of your own that extends one of them may have
 * any name, for its `code` is inherited.
 */
export const ERROR_CODES = {
  fatal: 'SLUICE_FATAL',
  retryable: 'SLUICE_RETRYABLE',
  throttled: 'SLUICE_THROTTLED',
} as const;

/** How a failed attempt is classed. */
export type FailureClass = keyof typeof ERROR_CODES;

const NAMES: Record<FailureClass, string> = {
  fatal: 'FatalError',
  retryable: 'RetryableError',
  throttled: 'ThrottledError',
};

/**
 * The task can never succeed: it fails at once, whatever its retry policy says, and goes to the dead letters.
 *
 * @example throw new FatalError('the photo is not an image', { cause: error });
 */
export class FatalError extends Error {
  readonly code = ERROR_CODES.fatal;
  override name: string = NAMES.fatal;
}

/**
 * The attempt failed, another may succeed: the retry policy applies, and the attempt counts. Any other thrown value
 * means the same; this class only says that it was meant.
 */
export class RetryableError extends Error {
  readonly code = ERROR_CODES.retryable;
  override name: string = NAMES.retryable;
  readonly retryAfter: number | Date | undefined;

  constructor(message?: string, options: RetryAfterOptions = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** Options of a {@link ThrottledError} and of a {@link RetryableError}. */
export interface RetryAfterOptions extends ErrorOptions {
  /**
   * Seconds from now, or a time, before which the task is not tried again. A time in the past means at once; NaN,
   * infinite and negative numbers count as not given, so a `Retry-After` header may be passed on as it was read.
   *
   * @default - a `Retry-After` that the error or its cause came with; the platform's own back-off
   */
  readonly retryAfter?: number | Date | undefined;
}

/**
 * Something downstream asks to slow down: the attempt is free (it does not count towards `maxAttempts`), and the
 * task is tried again when it says.
 *
 * @example throw new ThrottledError('the mail server is busy', { retryAfter: 30 });
 */
export class ThrottledError extends Error {
  readonly code = ERROR_CODES.throttled;
  override name: string = NAMES.throttled;
  readonly retryAfter: number | Date | undefined;

  constructor(message?: string, options: RetryAfterOptions = {}) {
    super(message, options);
    this.retryAfter = options.retryAfter;
  }
}

/** The function was invoked with something that Sluice did not send. Thrown, not replied: there is no task to settle. */
export class EnvelopeError extends Error {
  override name = 'EnvelopeError';
}

/** What a thrown value asks for. An unknown one is retryable. */
export function failureClassOf(thrown: unknown): FailureClass {
  return saidClassOf(thrown) ?? 'retryable';
}

/** The class that a thrown value says itself, by its code or name. */
export function saidClassOf(thrown: unknown): FailureClass | undefined {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  const { name, code } = thrown as { name?: unknown; code?: unknown };
  const classes = Object.keys(ERROR_CODES) as FailureClass[];
  return classes.find((c) => code === ERROR_CODES[c]) ?? classes.find((c) => name === NAMES[c]);
}
