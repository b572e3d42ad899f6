import { createHash } from 'node:crypto';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { PRIORITIES } from '@sluice/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHintQueue } from '../../adapters/aws/hint-queue.ts';
import { nameOfQueue } from '../../adapters/aws/queue-ref.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryQueues } from '../../adapters/memory/queues.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import type { QueueRef } from '../../core/ports/hint-queue.ts';
import { makeHint } from './fixtures.ts';
import { hintQueueContract } from './hint-queue.ts';
import { clientsAt, startFaux, startStandIn, type Faux } from './servers.ts';

const random = createMemoryRandom();
let faux: Faux;
let pools = 0;
beforeAll(async () => {
  faux = await startFaux();
});
afterAll(() => faux.stop());

const make = async () => {
  const pool = `pool${++pools}-`;
  let queueUrlPrefix = '';
  for (const priority of PRIORITIES) {
    for (const shard of [0, 1]) {
      const name = nameOfQueue({ priority, shard });
      const { queueUrl } = faux.server.createQueue(pool + name, { attributes: { VisibilityTimeout: '120' } });
      queueUrlPrefix = queueUrl.slice(0, -name.length);
    }
  }
  const telemetry = createMemoryTelemetry();
  const queue = createHintQueue(faux.clients.sqs, { queueUrlPrefix, random, telemetry });
  const receive = async (ref: QueueRef, waitSeconds = 0) => {
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrlPrefix + nameOfQueue(ref),
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    const { Messages = [] } = await faux.clients.sqs.send(command);
    return Messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', Attributes }) => ({
      messageId: MessageId,
      receipt: ReceiptHandle,
      queue: ref,
      receiveCount: Number(Attributes?.ApproximateReceiveCount),
      body: Body,
    }));
  };
  return { queue, receive, telemetry, queueUrlPrefix };
};

hintQueueContract('memory', async () => {
  const clock = createMemoryClock();
  const queues = createMemoryQueues({ clock, random });
  return {
    queue: queues,
    receive: async (ref, waitSeconds = 0) => {
      const next = queues.nextVisibleAt();
      if (next !== undefined && next - clock.now() <= waitSeconds * 1000) clock.set(next);
      return queues.receive(10, ref);
    },
  };
});
hintQueueContract('SQS', make);

describe('hint queue on SQS', () => {
  it('answers false for a queue that is not there, true for the others, and says so', async () => {
    const { queue, telemetry } = await make();
    const sends = [0, 9, 1].map((shard) => ({
      queue: { priority: 'low' as const, shard },
      message: makeHint(),
      delaySeconds: 0,
    }));
    expect(await queue.send(sends)).toEqual([true, false, true]);
    expect(telemetry.lines()).toMatchObject([{ level: 'warn', fields: { queue: 'low-9', hints: 1 } }]);
  });

  describe('where single entries fail', () => {
    /** For each call, the entry that fails and whether it is its own fault. */
    const against = async (failures: readonly (readonly [number, boolean])[]) => {
      const calls: string[][] = [];
      const standIn = await startStandIn(({ body }) => {
        const { Entries } = JSON.parse(body) as { Entries: { Id: string; MessageBody: string }[] };
        const [place, SenderFault] = failures[calls.length] ?? [];
        calls.push(Entries.map(({ MessageBody }) => MessageBody));
        const Failed = Entries.filter((_, n) => n === place).map(({ Id }) => ({ Id, SenderFault, Code: 'X' }));
        const Successful = Entries.filter((_, n) => n !== place).map(({ Id, MessageBody }) => ({
          Id,
          MessageId: Id,
          MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex'),
        }));
        return { status: 200, body: JSON.stringify({ Successful, Failed }) };
      });
      const telemetry = createMemoryTelemetry();
      const { sqs } = clientsAt({ sqsEndpoint: standIn.endpoint });
      const queue = createHintQueue(sqs, { queueUrlPrefix: `${standIn.endpoint}/1/q-`, random, telemetry });
      const ref = { priority: 'low' as const, shard: 0 };
      const sends = [1, 2, 3].map(() => ({ queue: ref, message: makeHint(), delaySeconds: 0 }));
      const answer = await queue.send(sends);
      await standIn.stop();
      return { answer, calls, telemetry, bodies: sends.map(({ message }) => JSON.stringify(message)) };
    };

    it('tries those again, and only those', async () => {
      const { answer, calls, bodies } = await against([
        [1, false],
        [0, false],
      ]);
      expect(answer).toEqual([true, true, true]);
      expect(calls).toEqual([bodies, [bodies[1]], [bodies[1]]]);
    });

    it('answers false when they fail every time', async () => {
      const { answer, calls } = await against([
        [2, false],
        [0, false],
        [0, false],
      ]);
      expect(answer).toEqual([true, true, false]);
      expect(calls).toHaveLength(3);
    });

    it('does not try again what will never be taken, and says so', async () => {
      const { answer, calls, telemetry } = await against([[0, true]]);
      expect(answer).toEqual([false, true, true]);
      expect(calls).toHaveLength(1);
      expect(telemetry.lines()).toMatchObject([{ level: 'error', fields: { queue: 'low-0', Code: 'X' } }]);
    });
  });
});
