import { isSluiceError, SluiceError, type Problem } from '@sluice/contracts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import type { HttpResult } from './event.ts';

/** Seconds after which to come back, where an error that passes does not say it itself. */
const RETRY_AFTER_SECONDS = 1;

/** An answer in JSON. Tasks change, so nothing between may keep a copy. */
export function json(statusCode: number, body: unknown, headers: Record<string, string> = {}): HttpResult {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}

/** It is done, and there is nothing to say. */
export function noContent(): HttpResult {
  return { statusCode: 204, headers: { 'cache-control': 'no-store' } };
}

/** An error as problem details; for one that passes, with the time to come back. */
export function problemResult(problem: Problem): HttpResult {
  const passes = problem.status === 429 || problem.status === 503;
  return json(problem.status, problem, {
    'content-type': 'application/problem+json',
    ...(passes && { 'retry-after': String(retryAfterOf(problem)) }),
  });
}

/** The convention of every error that passes: whole seconds, at least one, in its details. */
function retryAfterOf({ details }: Problem): number {
  const seconds = details?.['retryAfterSeconds'];
  return typeof seconds === 'number' && seconds > 0 ? Math.ceil(seconds) : RETRY_AFTER_SECONDS;
}

/**
 * What a caller may know of an error. One of ours is meant for callers. What AWS says of a failed call is not (it
 * names roles and tables), nor is what we did not expect: both are logged, and told by the request's id alone.
 *
 * @param fields of the log line: the tenant and the route
 */
export function problemOf(error: unknown, requestId: string, telemetry: Telemetry, fields: Record<string, unknown>): Problem {
  if (isSluiceError(error) && error.code === 'unavailable') {
    telemetry.log('warn', error.message, { ...fields, requestId, error });
    return error.cause === undefined ? error.toProblem() : behind(requestId).toProblem();
  }
  if (isSluiceError(error) && error.code !== 'internal') return error.toProblem();
  telemetry.count('api.internal_error', undefined);
  telemetry.log('error', 'a call failed', { ...fields, requestId, error });
  const text = `something failed on our side; the call may be repeated. Its id in the logs is ${requestId}`;
  return new SluiceError('internal', text, { details: { requestId } }).toProblem();
}

function behind(requestId: string): SluiceError {
  const text = `a service behind the platform did not answer; call again, a submission with the same id. Its id in the logs is ${requestId}`;
  return new SluiceError('unavailable', text, { details: { requestId } });
}
