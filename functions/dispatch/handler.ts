import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { queueRefOfArn } from '../../adapters/aws/queue-ref.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import type { DispatchDeps } from '../../core/dispatch/work.ts';
import type { ReceivedHint } from '../../core/ports/hint-queue.ts';

/** Works off a batch of a shard queue. A message that is not reported as failed is deleted by the event source. */
export function createHandler(deps: DispatchDeps) {
  const noted = new Map<string, number>();
  return async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const deadline = deps.clock.now() + context.getRemainingTimeInMillis();
    const kept = await dispatch(deps, event.Records.map(received), { noted, deadline });
    return { batchItemFailures: kept.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}

function received(record: SQSRecord): ReceivedHint {
  return {
    messageId: record.messageId,
    receipt: record.receiptHandle,
    queue: queueRefOfArn(record.eventSourceARN),
    receiveCount: Number(record.attributes.ApproximateReceiveCount),
    body: record.body,
  };
}
