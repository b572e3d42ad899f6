import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { EVENT_SOURCE, taskEventSchema, type TaskEvent } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { aws, clientOf, eventually, finished, fresh, output } from './target.ts';

test("a failure's event goes over the bus into the queue of a rule, a success's does not", async () => {
  const tenant = fresh('watched');
  const client = await clientOf(tenant);
  const labels = { order: '17' };
  const good = await client.submit({ type: 'unruly-wait', payload: { do: 'ok' } });
  await finished(client, good.id);
  const bad = await client.submit({ type: 'unruly-wait', payload: { do: 'fatal' }, labels });

  const events = await eventually('an event of the failed task', async () => {
    const found = (await receive()).filter((event) => event.tenant === tenant);
    return found.length > 0 ? found : undefined;
  });

  expect(events).toMatchObject([
    { id: bad.id, uid: bad.uid, type: 'unruly-wait', state: 'failed', reason: 'fatal', attempts: 1, labels, error: { name: 'FatalError' } },
  ]);
});

/** What is in the queue. Other tests fail tasks too, and nobody else reads it. */
async function receive(): Promise<TaskEvent[]> {
  const QueueUrl = output('FailuresQueueUrl');
  const { Messages = [] } = await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }));
  return Promise.all(
    Messages.map(async ({ Body = '', ReceiptHandle }) => {
      await aws.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      const envelope = JSON.parse(Body) as { source: string; 'detail-type': string; detail: unknown };
      const event = taskEventSchema.parse(envelope.detail);
      expect(envelope).toMatchObject({ source: EVENT_SOURCE, 'detail-type': `task.${event.state}` });
      return event;
    }),
  );
}
