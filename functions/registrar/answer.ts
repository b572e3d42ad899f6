import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { setTimeout as pause } from 'node:timers/promises';

const TRIES = 4;
const FIRST_PAUSE_MS = 200;

/**
 * Tells CloudFormation how a request has ended; `failure` says why it could not be done. An answer that may not have
 * arrived is sent again: were the whole request made again instead, it could end otherwise than was told.
 *
 * @param physicalId of the resource, which CloudFormation deletes by it
 * @throws when the answer is not taken
 */
export async function answer(
  fetch: typeof globalThis.fetch,
  { StackId, RequestId, LogicalResourceId, ResponseURL }: CloudFormationCustomResourceEvent,
  physicalId: string,
  failure?: string,
): Promise<void> {
  const status = failure === undefined ? { Status: 'SUCCESS' } : { Status: 'FAILED', Reason: failure };
  // Bytes, because for a string fetch adds a content type, and the URL is signed without one.
  const body = Buffer.from(JSON.stringify({ ...status, PhysicalResourceId: physicalId, StackId, RequestId, LogicalResourceId }));
  let why: unknown;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    if (attempt > 0) await pause(FIRST_PAUSE_MS * 2 ** attempt);
    try {
      const response = await fetch(ResponseURL, { method: 'PUT', body });
      if (response.ok) return;
      why = `status ${response.status}`;
    } catch (error) {
      why = error;
    }
  }
  throw new Error(`CloudFormation's response URL did not take the answer: ${String(why)}`, { cause: why });
}
