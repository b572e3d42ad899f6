import { kitReplySchema, LIMITS, type Envelope, type Outcome, type OutcomeClass, type TaskError } from '@sluice/contracts';
import type { HandlerAnswer } from '../ports/starter.ts';
import { shortName } from '../retry/rules.ts';
import { byteLength } from '../tasks/values.ts';
import { isCrash } from './crash.ts';
import { statusOfError, waitOfMessage } from './http-status.ts';

/**
 * Error names that say more than "it failed", as common runtimes and SDKs spell them. A name in no list is retryable.
 */
const FATAL_NAMES: ReadonlySet<string> = new Set(['FatalError', 'NonRetriableError', 'NonRetryableError', 'UnrecoverableError']);
const THROTTLED_NAMES: ReadonlySet<string> = new Set([
  'ThrottledError',
  'RetryAfterError',
  'RateLimitError',
  'RateLimitExceeded',
  'TooManyRequestsError',
  'TooManyRequestsException',
  'ThrottlingException',
  'Throttling',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'SlowDown',
]);

const MAX_NAME = 256;
const MAX_MESSAGE = 2_048;
const MAX_STACK = 4_096;

/** The class that an error's name stands for. */
export function classOfName(name: string): Extract<OutcomeClass, 'fatal' | 'throttled' | 'retryable'> {
  const short = shortName(name);
  if (FATAL_NAMES.has(short)) return 'fatal';
  return THROTTLED_NAMES.has(short) ? 'throttled' : 'retryable';
}

/** The class of a failure that says nothing of it itself: by the end of its process, its name, then its status. */
function classOfError(error: TaskError): OutcomeClass {
  if (isCrash(error)) return 'crashed';
  const named = classOfName(error.name);
  return named === 'retryable' && error.status === 429 ? 'throttled' : named;
}

type Said = Pick<Outcome, 'class' | 'error' | 'result' | 'checkpoint' | 'startedAt' | 'retryAfterMs' | 'answered' | 'canary'>;

/** What a handler's answer means: a kit's reply says it itself, a plain answer is a result, a failure is classed by what it is. */
export function classifyAnswer(answer: HandlerAnswer): Said {
  if (answer.functionError !== undefined) {
    const error = errorOf(answer.payload);
    const retryAfterMs = waitOfMessage(error.message);
    return { class: classOfError(error), error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  const kit = kitReplySchema.safeParse(answer.payload);
  if (!kit.success) return succeeded(answer.payload);
  const { sluice, result } = kit.data;
  return {
    startedAt: sluice.startedAt,
    ...(sluice.error && { error: bounded(sluice.error) }),
    ...(sluice.retryAfterMs !== undefined && { retryAfterMs: sluice.retryAfterMs }),
    ...(sluice.class === 'succeeded' ? succeeded(result) : { class: sluice.class, ...leftOff(sluice.checkpoint) }),
  };
}

/** The outcome of an attempt that was answered. */
export function outcomeOfAnswer(envelope: Envelope['sluice'], answer: HandlerAnswer, at: number): Outcome {
  const { requestId } = answer;
  return outcomeOf(envelope, { ...classifyAnswer(answer), answered: true, ...(requestId !== undefined && { requestId }) }, at);
}

export function outcomeOf(envelope: Envelope['sluice'], said: Said, at: number): Outcome {
  const { tenant, task, uid, type, fence, attempt, canary } = envelope;
  return { v: 1, tenant, id: task, uid, type, fence, attempt, at, ...(canary && { canary }), ...said };
}

/** A success, unless its result is larger than what is kept: running again would end the same. */
function succeeded(value: unknown): Said {
  if (value === undefined || value === null) return { class: 'succeeded' };
  const result = JSON.stringify(value);
  const bytes = byteLength(result);
  if (bytes <= LIMITS.resultBytes) return { class: 'succeeded', result };
  const message = `the result has ${bytes} bytes as JSON; at most ${LIMITS.resultBytes} are kept: put it into a store of your own, for example S3, and return its key`;
  return { class: 'fatal', error: { name: 'ResultTooLarge', message } };
}

/** Where the next attempt may go on, unless that is larger than what is kept: going on from there would end the same. */
function leftOff(value: unknown): Partial<Said> {
  if (value === undefined) return {};
  const checkpoint = JSON.stringify(value);
  const bytes = byteLength(checkpoint);
  if (bytes <= LIMITS.checkpointBytes) return { checkpoint };
  const message = `the checkpoint has ${bytes} bytes as JSON; at most ${LIMITS.checkpointBytes} are kept: put it into a store of your own, for example S3, and keep its key`;
  return { class: 'fatal', error: { name: 'CheckpointTooLarge', message } };
}

/** Lambda's error document: `errorType`, `errorMessage`, and a stack as lines in `stackTrace` or `trace`. */
function errorOf(payload: unknown): TaskError {
  const p: Record<string, unknown> = typeof payload === 'object' && payload !== null ? { ...payload } : {};
  const message = typeof p['errorMessage'] === 'string' ? p['errorMessage'] : JSON.stringify(payload ?? null);
  // A time-out or a crash of the runtime may come without a type; its message begins like this.
  const name =
    typeof p['errorType'] === 'string' && p['errorType'] !== ''
      ? p['errorType']
      : /Task timed out/.test(message)
        ? 'Sandbox.Timedout'
        : 'Error';
  const lines = p['trace'] ?? p['stackTrace'];
  const status = statusOfError(shortName(name), message);
  return bounded({
    name,
    message,
    ...(status !== undefined && { status }),
    ...(Array.isArray(lines) && { stack: lines.map(String).join('\n') }),
  });
}

function bounded(error: TaskError): TaskError {
  return {
    name: error.name.slice(0, MAX_NAME),
    message: error.message.slice(0, MAX_MESSAGE),
    ...(error.stack !== undefined && { stack: error.stack.slice(0, MAX_STACK) }),
    ...(error.status !== undefined && { status: error.status }),
  };
}
