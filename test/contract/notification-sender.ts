import { beforeEach, describe, expect, it } from 'vitest';
import type { NotificationMessage, NotificationSender } from '../../core/ports/notification-sender.ts';
import { A, B, newUid } from './fixtures.ts';

/** A message as its receiver gets it. */
export interface ReceivedNotification {
  readonly tenant: string;
  readonly type: string;
  readonly state: string;
  readonly body: string;
}

export interface NotificationSenderUnderTest {
  readonly sender: NotificationSender;
  /** Makes a queue. @returns its URL */
  readonly newQueue: () => Promise<string>;
  readonly received: (queueUrl: string) => Promise<readonly ReceivedNotification[]>;
}

export const makeMessage = (given: Partial<NotificationMessage> = {}): NotificationMessage => ({
  eventId: `${newUid()}:failed`,
  type: 'thumbnail',
  state: 'failed',
  body: '{"id":"Übung"}',
  ...given,
});

export function notificationSenderContract(name: string, make: () => Promise<NotificationSenderUnderTest>): void {
  describe(`notification sender: ${name}`, () => {
    let made: NotificationSenderUnderTest;
    beforeEach(async () => {
      made = await make();
    });

    it('puts a message into its queue, with what receivers choose by', async () => {
      const queue = await made.newQueue();
      await made.sender.send(A, queue, makeMessage());
      expect(await made.received(queue)).toEqual([{ tenant: A, type: 'thumbnail', state: 'failed', body: '{"id":"Übung"}' }]);
    });

    it('puts the messages of two tenants where each belongs', async () => {
      const [mine, theirs] = [await made.newQueue(), await made.newQueue()];
      await made.sender.send(A, mine, makeMessage({ body: '1' }));
      await made.sender.send(B, theirs, makeMessage({ body: '2' }));
      expect(await made.received(mine)).toMatchObject([{ tenant: A, body: '1' }]);
      expect(await made.received(theirs)).toMatchObject([{ tenant: B, body: '2' }]);
    });
  });
}
