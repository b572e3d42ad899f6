import { PRIORITIES, type HintMessage } from '@sluice/contracts';
import { beforeEach, describe, expect, it } from 'vitest';
import type { HintQueue, HintSend, QueueRef, ReceivedHint } from '../../core/ports/hint-queue.ts';
import { A, B, makeHint, makeHinted, NOW } from './fixtures.ts';

/** The queues of a suite have shards 0 and 1 of every priority. */
export interface HintQueueUnderTest {
  readonly queue: HintQueue;
  /** Waits up to so many seconds for a message to become visible, then gives what is. */
  readonly receive: (queue: QueueRef, waitSeconds?: number) => Promise<readonly ReceivedHint[]>;
}

const QUEUE: QueueRef = { priority: 'normal', shard: 0 };

export function hintQueueContract(name: string, make: () => Promise<HintQueueUnderTest>): void {
  describe(`hint queue: ${name}`, () => {
    let queue: HintQueue;
    let receive: HintQueueUnderTest['receive'];
    beforeEach(async () => {
      ({ queue, receive } = await make());
    });

    const sendOf = (given: Partial<HintSend> = {}): HintSend => ({
      queue: QUEUE,
      message: makeHint(),
      delaySeconds: 0,
      ...given,
    });
    const receiveAll = async (ref: QueueRef): Promise<readonly HintMessage[]> => {
      const messages: HintMessage[] = [];
      for (;;) {
        const received = await receive(ref);
        if (received.length === 0) return messages;
        messages.push(...received.map(({ body }) => JSON.parse(body) as HintMessage));
      }
    };

    it('sends nothing', async () => {
      expect(await queue.send([])).toEqual([]);
    });

    it('delivers a hint to its queue alone, whole', async () => {
      const message = makeHint({ tasks: [makeHinted({ look: true }), makeHinted({ id: 'other' })] });
      expect(await queue.send([sendOf({ message })])).toEqual([true]);
      const [hint, ...others] = await receive(QUEUE);
      expect(others).toEqual([]);
      expect(hint).toMatchObject({ queue: QUEUE, receiveCount: 1 });
      expect(JSON.parse(hint?.body ?? '')).toEqual(message);
    });

    it('sends many to every queue, and answers for each in order', async () => {
      const refs = PRIORITIES.flatMap((priority) => [0, 1].map((shard) => ({ priority, shard })));
      const sends = Array.from({ length: 90 }, (_, n) => {
        const tasks = [makeHinted({ id: `t${n}` })];
        return sendOf({ queue: refs[n % refs.length] ?? QUEUE, message: makeHint({ tasks }) });
      });
      expect(await queue.send(sends)).toEqual(sends.map(() => true));
      for (const ref of refs) {
        const sent = sends.filter((send) => send.queue === ref).map(({ message }) => JSON.stringify(message));
        const received = (await receiveAll(ref)).map((message) => JSON.stringify(message));
        expect([...received].sort()).toEqual([...sent].sort());
      }
    });

    it('sends more bytes than one call takes', async () => {
      const tasks = Array.from({ length: 500 }, (_, n) => makeHinted({ id: `${n}-${'x'.repeat(120)}` }));
      const sends = Array.from({ length: 10 }, () => sendOf({ message: makeHint({ tasks }) }));
      expect(Buffer.byteLength(JSON.stringify(sends))).toBeGreaterThan(1_048_576);
      expect(await queue.send(sends)).toEqual(sends.map(() => true));
      expect(await receiveAll(QUEUE)).toHaveLength(10);
    });

    it('holds a hint back for its delay', async () => {
      await queue.send([sendOf({ delaySeconds: 1 })]);
      expect(await receive(QUEUE)).toEqual([]);
      expect(await receive(QUEUE, 3)).toHaveLength(1);
    });

    it('delivers a hint that is given back again, counted', async () => {
      await queue.send([sendOf()]);
      const [hint] = await receive(QUEUE);
      expect(await receive(QUEUE)).toEqual([]);
      if (hint) await queue.giveBack(hint, 0);
      const [again] = await receive(QUEUE);
      expect(again).toMatchObject({ messageId: hint?.messageId, receiveCount: 2 });
    });

    it('gives back for a while', async () => {
      await queue.send([sendOf()]);
      const [hint] = await receive(QUEUE);
      if (hint) await queue.giveBack(hint, 1);
      expect(await receive(QUEUE)).toEqual([]);
      expect(await receive(QUEUE, 3)).toHaveLength(1);
    });

    it('takes a give-back of what is not there', async () => {
      const hint = { messageId: 'none', receipt: 'none', queue: QUEUE, receiveCount: 1, body: '{}' };
      await expect(queue.giveBack(hint, 1)).resolves.toBeUndefined();
    });

    it('delivers one tenant no less for what another has in the same queue', async () => {
      const lane = { v: 1, kind: 'lane', tenant: B, made: NOW, type: 'thumbnail' } as const;
      const flood = Array.from({ length: 40 }, () => sendOf());
      expect((await queue.send([...flood, sendOf({ message: lane })])).every(Boolean)).toBe(true);
      const received = await receiveAll(QUEUE);
      expect(received.filter(({ tenant }) => tenant === A)).toHaveLength(40);
      expect(received.filter(({ tenant }) => tenant === B)).toEqual([lane]);
    });
  });
}
