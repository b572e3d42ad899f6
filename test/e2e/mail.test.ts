import { beforeAll, describe, expect, test } from 'vitest';
import { useMailServer } from './mail-server.ts';
import { clientOf, finished, fresh, type Client } from './target.ts';

describe.concurrent('send-email', () => {
  const mails = useMailServer();
  let client: Client;
  beforeAll(async () => {
    client = await clientOf(fresh('shop'));
  });

  test('sends a mail that arrives', async () => {
    const subject = fresh('your-order');
    const { id, uid } = await client.submit({
      type: 'send-email',
      payload: { to: 'ada@example.com', subject, text: 'It is on its way.' },
    });

    const task = await finished(client, id);

    const mail = await mails.with(subject);
    expect(task).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      result: { messageId: expect.stringContaining(uid.toLowerCase()) as string },
    });
    expect(mail).toContain('It is on its way.');
    expect(mail).toContain(uid.toLowerCase());
    // The kit tells when its handler began.
    expect(task.timeline.attempts[0]?.startedAt).toBeDefined();
  });

  test('fails for good where the server knows no such mailbox', async () => {
    const { id } = await client.submit({
      type: 'send-email',
      payload: { to: 'nobody@example.com', subject: fresh('lost'), text: 'Hello?' },
    });

    expect(await finished(client, id)).toMatchObject({ state: 'failed', reason: 'fatal', attempts: 1, error: { name: 'FatalError' } });
  });

  test('fails for good for a payload that is no mail', async () => {
    const { id } = await client.submit({ type: 'send-email', payload: { to: 'not an address' } });

    expect(await finished(client, id)).toMatchObject({ state: 'failed', reason: 'fatal', attempts: 1 });
  });

  test('fetches a payload of 300 KB by its URL', async () => {
    const payload = { to: 'large@example.com', subject: fresh('large'), text: 'a line of text\n'.repeat(20_000) };
    const task = { type: 'send-email', id: fresh('large'), payload };

    const [first, again] = [await client.submit(task), await client.submit(task)];

    expect(again).toMatchObject({ uid: first.uid, deduplicated: true });
    expect(await finished(client, task.id)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect((await mails.with(payload.subject)).length).toBeGreaterThan(payload.text.length);
    expect(await client.get(task.id, { include: ['payload'] })).toMatchObject({ payload });
  });
});
