import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { NotificationSender } from '../../core/ports/notification-sender.ts';
import { answerOf, unavailable } from './answers.ts';

/** Puts notifications into SQS, with `tenant`, `type` and `state` as attributes. In a FIFO queue a tenant's come in order of their sending. */
export function createNotificationSender(client: SQSClient): NotificationSender {
  return {
    send: async (tenant, queueUrl, { eventId, type, state, body }) => {
      const attribute = (value: string) => ({ DataType: 'String', StringValue: value });
      const { Failed = [] } = await answerOf(
        'send a notification',
        client.send(
          new SendMessageBatchCommand({
            QueueUrl: queueUrl,
            Entries: [
              {
                Id: '0',
                MessageBody: body,
                MessageAttributes: { tenant: attribute(tenant), type: attribute(type), state: attribute(state) },
                ...(queueUrl.endsWith('.fifo') && { MessageGroupId: tenant, MessageDeduplicationId: eventId }),
              },
            ],
          }),
        ),
      );
      const [failed] = Failed;
      if (failed) throw unavailable('send a notification', new Error(`${failed.Code}: ${failed.Message}`));
    },
  };
}
