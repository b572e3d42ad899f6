import { AWS_LIMITS } from '@sluice/contracts';
import { GetQueueAttributesCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { QueueWatch } from '../../core/ports/queue-watch.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { nameOfQueue } from './queue-ref.ts';

/** Calls at once: there may be 192 queues. */
const AT_ONCE = 16;

export interface QueueWatchConfig {
  /** The URL of every queue up to its `<priority>-<shard>`. */
  readonly queueUrlPrefix: string;
  readonly telemetry: Telemetry;
}

/** Looks at queues in SQS, which has no call for several of them: one for each. */
export function createQueueWatch(client: SQSClient, { queueUrlPrefix, telemetry }: QueueWatchConfig): QueueWatch {
  const depthOf = async (QueueUrl: string) => {
    try {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'],
        }),
      );
      return {
        visible: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
        delayed: Number(Attributes['ApproximateNumberOfMessagesDelayed'] ?? 0),
      };
    } catch (error) {
      telemetry.log('warn', 'queue not looked at', { queue: QueueUrl, error: String(error) });
      return undefined;
    }
  };

  return {
    depths: async (queues) => {
      const depths: Awaited<ReturnType<typeof depthOf>>[] = [];
      let next = 0;
      const worker = async (): Promise<void> => {
        for (let i = next++; i < queues.length; i = next++) {
          const queue = queues[i];
          depths[i] = queue && (await depthOf(queueUrlPrefix + nameOfQueue(queue)));
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, queues.length) }, worker));
      return queues.map((_, i) => depths[i]);
    },

    sample: async (queue, messages) => {
      const calls = Array.from({ length: Math.ceil(messages / AWS_LIMITS.batchEntries) }, async () => {
        // They stay visible: nobody waits for what was only looked at.
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: queueUrlPrefix + nameOfQueue(queue),
            MaxNumberOfMessages: AWS_LIMITS.batchEntries,
            VisibilityTimeout: 0,
          }),
        );
        return Messages.map(({ MessageId = '', Body = '' }): [string, string] => [MessageId, Body]);
      });
      try {
        // One that was seen twice counts once.
        return [...new Map((await Promise.all(calls)).flat()).values()];
      } catch (error) {
        telemetry.log('warn', 'queue not looked into', { queue: nameOfQueue(queue), error: String(error) });
        return [];
      }
    },
  };
}
