import { destinationRecordSchema, type Outcome } from '@sluice/contracts';
import { outcomeOf, outcomeOfAnswer } from './classify.ts';

/**
 * The outcome that a destination record of an asynchronous invocation tells. `now` stands in for a time stamp that
 * can't be read. @throws a ZodError when it is no record of an attempt of ours.
 */
export function outcomeOfRecord(body: unknown, now: number): Outcome {
  const record = destinationRecordSchema.parse(body);
  const stamp = Date.parse(record.timestamp);
  const at = Number.isNaN(stamp) ? now : stamp;
  const { sluice } = record.requestPayload;
  if (record.requestContext.condition === 'EventAgeExceeded') {
    // Lambda could not start it within the event age for want of concurrency: the handler never ran.
    const error = { name: 'EventAgeExceeded', message: 'Lambda was throttled until the event was too old' };
    return outcomeOf(sluice, { class: 'throttled', error }, at);
  }
  const functionError = record.responseContext?.functionError;
  const failed = record.requestContext.condition !== 'Success';
  return outcomeOfAnswer(
    sluice,
    {
      functionError: functionError ?? (failed ? 'Unhandled' : undefined),
      payload: record.responsePayload,
      requestId: record.requestContext.requestId,
    },
    at,
  );
}
