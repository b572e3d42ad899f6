import { messageOf } from '../errors.ts';
import type { LogSink } from '../log.ts';
import { MAX_ASYNC_BYTES } from './runtime-process.ts';
import type { Completed } from './service.ts';

export type DestinationCondition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded' | 'ZeroReservedConcurrency';

/** Puts JSON text somewhere by ARN: a queue, a function, an event bus. */
export type SendToArn = (arn: string, body: string, detail: { detailType: string; source: string }) => Promise<void>;

export interface DestinationEvent {
  requestId: string;
  functionArn: string;
  condition: DestinationCondition;
  invokeCount: number;
  /** The event as JSON text. */
  payload: string;
  /** What the last run came to, undefined if none ran. */
  last: Completed | undefined;
  now: number;
}

/**
 * The record that Lambda sends to a destination.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function destinationRecord(event: DestinationEvent): string {
  const { last } = event;
  const record = {
    version: '1.0',
    timestamp: new Date(event.now).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: event.functionArn,
      condition: event.condition,
      approximateInvokeCount: event.invokeCount,
    },
    requestPayload: JSON.parse(event.payload) as unknown,
    ...(last === undefined
      ? {}
      : {
          responseContext: {
            statusCode: 200,
            executedVersion: last.executedVersion,
            ...(last.functionError === undefined ? {} : { functionError: last.functionError }),
          },
          responsePayload: JSON.parse(last.payload) as unknown,
        }),
  };
  return JSON.stringify(record);
}

/** Sends a record; one that is too large or cannot be sent is logged and lost, as in Lambda. */
export async function deliverRecord(arn: string, event: DestinationEvent, send: SendToArn, log: LogSink): Promise<void> {
  const body = destinationRecord(event);
  const size = Buffer.byteLength(body);
  const lost = (why: string): void =>
    log({
      level: 'error',
      source: 'lambda',
      requestId: event.requestId,
      message: `Destination record of ${event.functionArn} to ${arn} not delivered: ${why}`,
    });
  if (size > MAX_ASYNC_BYTES) return lost(`${size} bytes are more than ${MAX_ASYNC_BYTES}`);
  try {
    const detailType = `Lambda Function Invocation Result - ${event.condition === 'Success' ? 'Success' : 'Failure'}`;
    await send(arn, body, { detailType, source: 'lambda' });
  } catch (error) {
    lost(messageOf(error));
  }
}
