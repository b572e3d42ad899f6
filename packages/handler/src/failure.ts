import { LIMITS, type TaskError } from '@sluice/contracts';
import { failureClassOf, saidClassOf, type FailureClass } from './errors.ts';
import { httpFailureOf } from './http-failure.ts';
import { cutTo } from './text.ts';

/** Bytes in UTF-8 that are kept of an error; what is longer is cut and marked. */
export const ERROR_LIMITS = { nameBytes: 256, messageBytes: 2_048, stackBytes: 4_096 } as const;

const MAX_WAIT_MS = LIMITS.retryAfterSeconds * 1_000;

/** Causes that are followed; a chain may be circular. */
const MAX_CAUSES = 4;

export interface Failure {
  readonly class: FailureClass;
  readonly error: TaskError;
  /** Milliseconds from now, before which the task is not tried again: as the error says it, or a server's `Retry-After`. */
  readonly retryAfterMs?: number;
}

/**
 * Turns whatever a handler threw into a failed attempt. An object with a `message` keeps its name, message and stack
 * with its causes; a string becomes the message of an `Error`; anything else is told as "threw 42" or "threw
 * {"a":1}", with the name `NonError`. All of these are retryable unless their name or code says otherwise, or their HTTP
 * status is 429, which is throttled.
 *
 * @param now ms since the epoch, from which a `retryAfter` time is counted
 */
export function failureOf(thrown: unknown, now: number): Failure {
  try {
    const { status, retryAfterMs: asked } = httpFailureOf(thrown, now);
    const failureClass = status === 429 ? (saidClassOf(thrown) ?? 'throttled') : failureClassOf(thrown);
    const own = failureClass !== 'fatal' && saidClassOf(thrown) === failureClass ? retryAfterMsOf(thrown, now) : undefined;
    const wait = own ?? asked;
    const retryAfterMs = failureClass === 'fatal' || wait === undefined ? undefined : Math.min(wait, MAX_WAIT_MS);
    return {
      class: failureClass,
      error: { ...errorOf(thrown), ...(status !== undefined && { status }) },
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  } catch {
    // A proxy or a getter that throws: still an outcome, not a crash.
    return { class: 'retryable', error: { name: 'NonError', message: 'threw a value that cannot be read' } };
  }
}

function errorOf(thrown: unknown): TaskError {
  if (typeof thrown === 'string') return bounded('Error', thrown);
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown && typeof thrown.message === 'string') {
    const name = 'name' in thrown && typeof thrown.name === 'string' && thrown.name !== '' ? thrown.name : 'Error';
    return bounded(name, thrown.message, stackWithCauses(thrown));
  }
  return bounded('NonError', `threw ${describe(thrown)}`);
}

function bounded(name: string, message: string, stack?: string): TaskError {
  return {
    name: kept(name, ERROR_LIMITS.nameBytes),
    message: kept(message, ERROR_LIMITS.messageBytes),
    ...(stack && { stack: kept(stack, ERROR_LIMITS.stackBytes) }),
  };
}

/** SQS, which carries the report of an asynchronous attempt, refuses the two that are no characters. */
function kept(text: string, maxBytes: number): string {
  return cutTo(text.replace(/[\ufffe\uffff]/g, '\ufffd'), maxBytes);
}

function stackWithCauses(error: object): string | undefined {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth <= MAX_CAUSES && current !== undefined && current !== null; depth += 1) {
    const { stack, cause } = typeof current === 'object' ? (current as { stack?: unknown; cause?: unknown }) : {};
    const text = typeof stack === 'string' ? stack : depth === 0 ? undefined : describe(current);
    if (text !== undefined) parts.push(depth === 0 ? text : `caused by: ${text}`);
    current = cause;
  }
  return parts.length === 0 ? undefined : parts.join('\n');
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  try {
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  } catch {
    // Not JSON: then at least what kind of thing it is.
  }
  return Object.prototype.toString.call(value);
}

function retryAfterMsOf(thrown: unknown, now: number): number | undefined {
  const { retryAfter } = thrown as { retryAfter?: unknown };
  const ms =
    typeof retryAfter === 'number'
      ? retryAfter < 0
        ? undefined
        : retryAfter * 1_000
      : retryAfter instanceof Date
        ? Math.max(0, retryAfter.getTime() - now)
        : undefined;
  if (ms === undefined || !Number.isFinite(ms)) return undefined;
  return Math.min(Math.ceil(ms), MAX_WAIT_MS);
}
