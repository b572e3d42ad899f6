import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { SettleDeps } from '../../core/settle/settle-outcome.ts';
import { settleRecords } from '../../core/settle/settle-records.ts';

/** Settles a batch of the outcomes queue. */
export function createHandler(deps: SettleDeps) {
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failed = await settleRecords(deps, event.Records);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
