import { SluiceError } from '@sluice/contracts';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/** A stored item, as the document client gives it. */
export type Item = Record<string, unknown>;

/**
 * Awaits a call of the SDK, its retries included.
 * @throws `unavailable` when the answer is unknown: the call may or may not have been applied.
 */
export async function answerOf<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw unavailable(what, error);
  }
}

export type ConditionalAnswer<T> =
  | { readonly met: true; readonly output: T }
  /** `found` is the item that the condition was judged by, where the service tells it. */
  | { readonly met: false; readonly found: Item | undefined };

/** Awaits a conditional write. A lost condition is an answer, not an error. */
export async function conditionalAnswerOf<T>(what: string, call: Promise<T>): Promise<ConditionalAnswer<T>> {
  try {
    return { met: true, output: await call };
  } catch (error) {
    if (!isConditionLost(error)) throw unavailable(what, error);
    return { met: false, found: error.Item && unmarshall(error.Item) };
  }
}

/** Recognised by name: bundles hold several copies of the SDK's classes. */
function isConditionLost(error: unknown): error is Error & { readonly Item?: Record<string, AttributeValue> } {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

export function unavailable(what: string, cause: unknown): SluiceError {
  const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  return new SluiceError('unavailable', `${what}: ${why}`, { cause });
}
