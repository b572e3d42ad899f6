import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { ControlQueue } from '../../core/ports/control-queue.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';

export interface ControlQueueConfig {
  readonly queueUrl: string;
  readonly telemetry: Telemetry;
}

/** The control queue in SQS. */
export function createControlQueue(client: SQSClient, config: ControlQueueConfig): ControlQueue {
  const { queueUrl: QueueUrl, telemetry } = config;
  return {
    tell: async (message, delaySeconds = 0) => {
      const command = new SendMessageBatchCommand({
        QueueUrl,
        Entries: [{ Id: '0', MessageBody: JSON.stringify(message), DelaySeconds: delaySeconds }],
      });
      try {
        const { Failed = [] } = await client.send(command);
        if (Failed.length === 0) return true;
        telemetry.log('warn', 'control could not be told', { told: message, error: Failed[0] });
      } catch (error) {
        telemetry.log('warn', 'control could not be told', { told: message, error });
      }
      return false;
    },
  };
}
