import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNotificationSender } from '../../adapters/aws/notification-sender.ts';
import { createMemoryNotificationSender } from '../../adapters/memory/notification-sender.ts';
import { A } from './fixtures.ts';
import { makeMessage, notificationSenderContract } from './notification-sender.ts';
import { clientsAt, startFaux, startStandIn, type Faux } from './servers.ts';

let faux: Faux;
let queues = 0;
beforeAll(async () => {
  faux = await startFaux();
});
afterAll(() => faux.stop());

const newQueue = async (fifo = false): Promise<string> => {
  const name = `ends-${++queues}${fifo ? '.fifo' : ''}`;
  return faux.server.createQueue(name, { attributes: fifo ? { FifoQueue: 'true' } : {} }).queueUrl;
};
const receive = async (QueueUrl: string) => {
  const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] });
  return (await faux.clients.sqs.send(command)).Messages ?? [];
};

notificationSenderContract('memory', async () => {
  const sender = createMemoryNotificationSender();
  let made = 0;
  return {
    sender,
    newQueue: async () => `queue-${++made}`,
    received: async (url) =>
      sender.sent().flatMap(({ queueUrl, tenant, type, state, body }) => (queueUrl === url ? [{ tenant, type, state, body }] : [])),
  };
});

notificationSenderContract('SQS', async () => ({
  sender: createNotificationSender(faux.clients.sqs),
  newQueue,
  received: async (url) =>
    (await receive(url)).map(({ Body: body = '', MessageAttributes: told = {} }) => ({
      tenant: told['tenant']?.StringValue ?? '',
      type: told['type']?.StringValue ?? '',
      state: told['state']?.StringValue ?? '',
      body,
    })),
}));

describe('notification sender on SQS', () => {
  it('puts one of each event into a FIFO queue', async () => {
    const queue = await newQueue(true);
    const sender = createNotificationSender(faux.clients.sqs);
    const message = makeMessage();
    await sender.send(A, queue, message);
    await sender.send(A, queue, message);
    expect(await receive(queue)).toHaveLength(1);
  });

  it('throws when a message is not taken, or its queue is gone', async () => {
    await expect(createNotificationSender(faux.clients.sqs).send(A, `${await newQueue()}-gone`, makeMessage())).rejects.toMatchObject({
      code: 'unavailable',
    });
    const Failed = [{ Id: '0', Code: 'InternalError', SenderFault: false, Message: 'try again' }];
    const standIn = await startStandIn(() => ({ status: 200, body: JSON.stringify({ Successful: [], Failed }) }));
    const sender = createNotificationSender(clientsAt({ sqsEndpoint: standIn.endpoint }).sqs);
    await expect(sender.send(A, 'http://sqs/q', makeMessage())).rejects.toThrow('InternalError: try again');
    await standIn.stop();
  });
});
