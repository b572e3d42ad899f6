import { AWS_LIMITS } from '@sluice/contracts';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { DeadHints } from '../../core/ports/hint-queue.ts';
import { answerOf, unavailable } from './answers.ts';
import { batchesOf } from './batches.ts';

export interface DeadHintsConfig {
  readonly queueUrl: string;
  /** Seconds to wait for messages: any wait at all asks every server of the queue. @default 1 */
  readonly waitSeconds?: number;
}

/** The dead-letter queue of the shard queues. */
export function createDeadHints(client: SQSClient, config: DeadHintsConfig): DeadHints {
  const { queueUrl: QueueUrl, waitSeconds = 1 } = config;
  return {
    receive: async () => {
      const command = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: AWS_LIMITS.batchEntries,
        WaitTimeSeconds: waitSeconds,
      });
      const { Messages = [] } = await answerOf('receive dead hints', client.send(command));
      return Messages.map(({ Body = '', ReceiptHandle = '' }) => ({ body: Body, receipt: ReceiptHandle }));
    },
    remove: async (receipts) => {
      const batches = batchesOf(receipts, () => 0, AWS_LIMITS.batchEntries, Infinity);
      await Promise.all(
        batches.map(async (batch) => {
          const Entries = batch.map((ReceiptHandle, n) => ({ Id: String(n), ReceiptHandle }));
          const command = new DeleteMessageBatchCommand({ QueueUrl, Entries });
          const { Failed = [] } = await answerOf('remove dead hints', client.send(command));
          if (Failed.length > 0) throw unavailable('remove dead hints', new Error(`${Failed.length} not removed`));
        }),
      );
    },
  };
}
