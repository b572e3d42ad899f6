import { FatalError, RetryableError, ThrottledError } from '@sluice/handler';

/** Busy, or "not now" (RFC 5321, 4.2.2): 421 service not available, 450 mailbox busy or greylisted, 451 local error. */
const BUSY: readonly number[] = [421, 450, 451];
/** Seconds to wait when the server does not say how long. */
const BUSY_SECONDS = 60;

/**
 * What an SMTP error means for the task.
 * - 421, 450, 451: throttled, for the time that the server names (greylisting does: "try again in 300 seconds")
 * - another 4xx: retryable
 * - a refused login, whatever its code: retryable, as it is the function's fault and not the mail's
 * - another 5xx: fatal, "the command should not be repeated"
 * - no answer at all (connection refused, time-out): the error as it is, which is retryable
 */
export function failureOfSmtp(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
  const options = { cause: error };
  if (code === 'EAUTH') return new RetryableError(`the mail server refuses the login: ${error.message}`, options);
  if (typeof responseCode !== 'number') return error;
  if (BUSY.includes(responseCode)) {
    return new ThrottledError(error.message, { ...options, retryAfter: secondsIn(error.message) ?? BUSY_SECONDS });
  }
  return responseCode >= 500 ? new FatalError(error.message, options) : new RetryableError(error.message, options);
}

function secondsIn(text: string): number | undefined {
  const [, amount, unit] = /\b(\d{1,5})\s*(s|sec|seconds?|min|minutes?)\b/i.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) * (unit.toLowerCase().startsWith('m') ? 60 : 1);
}
