import { AWS_LIMITS } from '@sluice/contracts';
import { FatalError } from './errors.ts';
import { utf8Bytes } from './text.ts';

/**
 * Bytes that the event and the result of a task may have together as JSON in UTF-8. Lambda reports an asynchronous
 * attempt with one message of 1 MiB that carries both, and drops the report if they do not fit: the task would end as
 * lost. The margin is for the rest of that message. The `wait` starter has more room, but a task type must not break
 * when its starter changes.
 */
export const EVENT_AND_RESULT_BYTES = AWS_LIMITS.messageBytes - 32 * 1_024;

/**
 * The result as the platform will keep it: what JSON makes of it (a `Date` becomes a string, `NaN` becomes null, a
 * key whose value is undefined is left out).
 *
 * @param eventBytes bytes of the event as JSON
 * @returns undefined for a handler that returned nothing
 * @throws FatalError for what JSON cannot say (an object inside itself, a BigInt, a function), for what is too large
 *   and for what no queue takes: running again would end the same
 */
export function resultOf(value: unknown, eventBytes: number): unknown {
  if (value === undefined) return undefined;
  const text = stringify(value);
  const bytes = utf8Bytes(text);
  if (bytes + eventBytes > EVENT_AND_RESULT_BYTES) {
    throw new FatalError(
      `the result has ${bytes} bytes as JSON and the event ${eventBytes}, together more than the limit of ` +
        `${EVENT_AND_RESULT_BYTES}: keep the result in a store of your own, for example S3, and return its key`,
    );
  }
  return JSON.parse(text) as unknown;
}

function stringify(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new FatalError(`the result is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (text === undefined) throw new FatalError(`the result is not JSON: it is a ${typeof value}`);
  // SQS, which carries the report of an asynchronous attempt, refuses these two: the task would end as lost.
  if (/[\ufffe\uffff]/.test(text)) {
    throw new FatalError('the result has U+FFFE or U+FFFF, which are no characters: leave them out, or return bytes as base64');
  }
  return text;
}
