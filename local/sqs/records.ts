import type { Message } from '@aws-sdk/client-sqs';
import { REGION } from '../account.ts';

/** One message in the event that Lambda gets from a queue: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export function recordOf(message: Message, queueArn: string): Record<string, unknown> {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body ?? '',
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, attribute]) => [
        name,
        {
          ...(attribute.StringValue === undefined ? {} : { stringValue: attribute.StringValue }),
          ...(attribute.BinaryValue === undefined ? {} : { binaryValue: Buffer.from(attribute.BinaryValue).toString('base64') }),
          stringListValues: [],
          binaryListValues: [],
          dataType: attribute.DataType,
        },
      ]),
    ),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: REGION,
  };
}

/** The largest event that one batch may make, in bytes of its bodies: 6 MB less room for what is around them. */
const MAX_BATCH_BYTES = 5_500_000;

/** Cuts what was received into batches of at most so many messages and no more than one invocation takes. */
export function batchesOf(messages: readonly Message[], batchSize: number): Message[][] {
  const batches: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    // Quotes and backslashes in the body are escaped in the event.
    const size = Buffer.byteLength(JSON.stringify(message.Body ?? '')) + 1000;
    const current = batches.at(-1);
    if (current === undefined || current.length >= batchSize || bytes + size > MAX_BATCH_BYTES) {
      batches.push([message]);
      bytes = size;
    } else {
      current.push(message);
      bytes += size;
    }
  }
  return batches;
}

/**
 * The messages of a batch to delete, by what the function answered.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function succeededOf(batch: readonly Message[], payload: string, reportsFailures: boolean): readonly Message[] {
  if (!reportsFailures) return batch;
  let failures: unknown;
  try {
    const answer = JSON.parse(payload) as { batchItemFailures?: unknown } | null;
    failures = answer?.batchItemFailures ?? [];
  } catch {
    return [];
  }
  if (!Array.isArray(failures)) return [];
  const failed = new Set(failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier));
  const known = new Set<unknown>(batch.map((message) => message.MessageId));
  // An identifier that is empty or of no message of the batch fails all of it.
  for (const identifier of failed) if (!known.has(identifier)) return [];
  return batch.filter((message) => !failed.has(message.MessageId));
}
