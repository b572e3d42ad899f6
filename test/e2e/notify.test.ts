import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { notificationSchema, SYSTEM_TYPES, webhookBodySchema, type Notification } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { useReceiver, verified } from './receiver.ts';
import { aws, clientOf, eventually, finished, fresh, output, type Client } from './target.ts';

describe.concurrent('notifications', () => {
  const receiver = useReceiver();
  const tenant = fresh('notified');
  let client: Client;
  let secret: string;
  beforeAll(async () => {
    client = await clientOf(tenant, ['admin']);
    ({ secret } = await client.webhookSecrets.create());
  });

  test('a webhook is signed, and called until the receiver takes it', async () => {
    const path = `/${fresh('hook')}`;
    receiver.answer(path, { status: 500 }, { status: 429, headers: { 'retry-after': '1' } }, { status: 200 });
    const labels = { order: '17' };

    const { id, uid } = await client.submit({
      type: 'unruly-wait',
      payload: { do: 'ok', key: 'k1' },
      labels,
      notify: { webhook: { url: receiver.url(path) } },
    });

    const calls = await receiver.calls(path, 3);
    expect(calls.map(({ status }) => status)).toEqual([500, 429, 200]);
    for (const call of calls) {
      const { type, data } = webhookBodySchema.parse(verified(call, secret));
      expect(type).toBe('task.succeeded');
      expect(data).toMatchObject({ tenant, id, uid, type: 'unruly-wait', state: 'succeeded', attempts: 1, labels, result: { key: 'k1' } });
      expect(call.id).toBe(data.eventId);
    }
    expect(new Set(calls.map(({ id: webhookId }) => webhookId)).size).toBe(1);
    expect(new Set(calls.map(({ body }) => body)).size).toBe(1);
  });

  test('a replaced secret signs beside its successor, and no other tenant sees either', async () => {
    const own = await clientOf(fresh('rotates'), ['admin']);
    const first = await own.webhookSecrets.create();
    const second = await own.webhookSecrets.create({ overlapSeconds: 3_600 });
    const path = `/${fresh('rotated')}`;

    await own.submit({ type: 'unruly-wait', payload: { do: 'ok' }, notify: { webhook: { url: receiver.url(path) } } });

    const [call] = await receiver.calls(path, 1);
    if (!call) throw new Error('no call');
    for (const each of [first, second]) expect(verified(call, each.secret)).toMatchObject({ type: 'task.succeeded' });
    expect(() => verified(call, secret)).toThrow();
    expect((await own.webhookSecrets.list()).map(({ id }) => id)).toEqual([second.id, first.id]);
    await expect(client.webhookSecrets.delete(first.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(own.webhookSecrets.delete(second.id)).rejects.toMatchObject({ code: 'state_conflict' });
    await own.webhookSecrets.delete(first.id);
    expect((await own.webhookSecrets.list()).map(({ id }) => id)).toEqual([second.id]);
  });

  test('a delivery that has failed is found by its type, and told after a retry', async () => {
    const path = `/${fresh('gone')}`;
    receiver.answer(path, { status: 410 }, { status: 200 });
    const id = fresh('task');
    await client.submit({
      type: 'unruly-wait',
      id,
      payload: { do: 'fatal' },
      notify: { webhook: { url: receiver.url(path), on: ['failed'] } },
    });

    const [dead] = await receiver.calls(path, 1);
    const filter = { type: SYSTEM_TYPES.notify, state: 'failed', labels: { task: id } } as const;
    const delivery = await eventually('the failed delivery', async () => (await client.listPage(filter)).tasks[0]);
    expect(delivery.error).toMatchObject({ message: 'the receiver answered 410' });
    await client.retry(delivery.id);

    const [, told] = await receiver.calls(path, 2);
    expect(told?.body).toBe(dead?.body);
    expect(told?.id).toBe(dead?.id);
    expect(await finished(client, delivery.id)).toMatchObject({ state: 'succeeded', result: { status: 200 } });
  });

  test('a queue that the operator has declared gets the ends that are asked for', async () => {
    const notify = { queue: { name: 'ends', on: ['failed', 'cancelled'] } } as const;
    const good = await client.submit({
      type: 'unruly-wait',
      payload: { do: 'ok' },
      notify: { queue: { ...notify.queue, on: [...notify.queue.on] } },
    });
    await finished(client, good.id);
    const bad = await client.submit({
      type: 'unruly',
      payload: { do: 'fatal' },
      notify: { queue: { ...notify.queue, on: [...notify.queue.on] } },
    });

    const messages = await eventually('a message of the failed task', async () => {
      const found = (await receive()).filter(({ body }) => body.tenant === tenant);
      return found.length > 0 ? found : undefined;
    });

    expect(messages).toMatchObject([
      {
        attributes: { tenant, type: 'unruly', state: 'failed' },
        body: { id: bad.id, uid: bad.uid, state: 'failed', reason: 'fatal', error: { name: 'FatalError' } },
      },
    ]);
  });

  test('a receiver that cannot be told is refused at once', async () => {
    const submit = (by: Client, notify: object) => by.submit({ type: 'unruly-wait', payload: { do: 'ok' }, notify });
    const stranger = await clientOf(fresh('stranger'));

    await expect(submit(stranger, { webhook: { url: receiver.url('/x') } })).rejects.toMatchObject({ code: 'no_webhook_secret' });
    await expect(submit(client, { queue: { name: 'nope' } })).rejects.toMatchObject({ code: 'unknown_queue' });
    await expect(submit(client, { webhook: { url: 'https://169.254.169.254/latest/meta-data' } })).rejects.toMatchObject({
      code: 'bad_request',
    });
    await expect(stranger.webhookSecrets.list()).rejects.toMatchObject({ code: 'forbidden' });
  });
});

interface Message {
  readonly attributes: Record<string, string | undefined>;
  readonly body: Notification;
}

/** What is in the queue. No other test names it. */
async function receive(): Promise<Message[]> {
  const QueueUrl = output('EndsQueueUrl');
  const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2, MessageAttributeNames: ['All'] };
  const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand(asked));
  return Promise.all(
    Messages.map(async ({ Body = '', ReceiptHandle, MessageAttributes = {} }) => {
      await aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      const attributes = Object.fromEntries(Object.entries(MessageAttributes).map(([name, { StringValue }]) => [name, StringValue]));
      return { attributes, body: notificationSchema.parse(JSON.parse(Body)) };
    }),
  );
}
