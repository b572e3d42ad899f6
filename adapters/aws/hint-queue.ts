import { setTimeout as pause } from 'node:timers/promises';
import { AWS_LIMITS } from '@sluice/contracts';
import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { HintQueue, HintSend, QueueRef } from '../../core/ports/hint-queue.ts';
import type { Random } from '../../core/ports/random.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { batchesOf } from './batches.ts';
import { nameOfQueue } from './queue-ref.ts';

const TRIES = 3;
const FIRST_PAUSE_MS = 25;

export interface HintQueueConfig {
  /** The URL of every shard queue up to its `<priority>-<shard>`. */
  readonly queueUrlPrefix: string;
  readonly random: Pick<Random, 'fraction'>;
  readonly telemetry: Telemetry;
}

/** One send on its way, at its place among all. */
interface Entry {
  readonly place: number;
  readonly body: string;
  readonly send: HintSend;
}

/** The shard queues in SQS. */
export function createHintQueue(client: SQSClient, config: HintQueueConfig): HintQueue {
  const { random, telemetry } = config;
  const urlOf = (queue: QueueRef): string => config.queueUrlPrefix + nameOfQueue(queue);

  /** @returns the entries that the queue did not take but may take later; `sent` gets the places of those it took. */
  const sendBatch = async (queue: QueueRef, batch: readonly Entry[], sent: Set<number>): Promise<readonly Entry[]> => {
    const { Successful = [], Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: urlOf(queue),
        Entries: batch.map(({ body, send }, n) => ({
          Id: String(n),
          MessageBody: body,
          DelaySeconds: send.delaySeconds,
          // Fair queues tell tenants apart by it; on a standard queue it orders nothing.
          MessageGroupId: send.message.tenant,
        })),
      }),
    );
    for (const { Id } of Successful) {
      const entry = batch[Number(Id)];
      if (entry) sent.add(entry.place);
    }
    for (const { Code, Message, SenderFault } of Failed.filter((failed) => failed.SenderFault)) {
      telemetry.log('error', 'hint refused by its queue', { queue: nameOfQueue(queue), Code, Message, SenderFault });
    }
    return Failed.filter((failed) => !failed.SenderFault).flatMap(({ Id }) => batch[Number(Id)] ?? []);
  };

  /** All of one queue. */
  const sendAll = async (batch: readonly Entry[], sent: Set<number>): Promise<void> => {
    const queue = batch[0]?.send.queue;
    if (!queue) return;
    let left = batch;
    for (let attempt = 0; attempt < TRIES && left.length > 0; attempt++) {
      if (attempt > 0) await pause(random.fraction() * FIRST_PAUSE_MS * 2 ** attempt);
      try {
        left = await sendBatch(queue, left, sent);
      } catch (error) {
        // The SDK has tried again already. What may have been sent counts as not sent: a second hint is harmless.
        telemetry.log('warn', 'hints not sent', { queue: nameOfQueue(queue), hints: left.length, error: String(error) });
        return;
      }
    }
  };

  return {
    send: async (sends) => {
      const byQueue = new Map<string, Entry[]>();
      sends.forEach((send, place) => {
        const entries = byQueue.get(nameOfQueue(send.queue)) ?? [];
        entries.push({ place, body: JSON.stringify(send.message), send });
        byQueue.set(nameOfQueue(send.queue), entries);
      });
      const sent = new Set<number>();
      const batches = [...byQueue.values()].flatMap((entries) =>
        batchesOf(entries, ({ body }) => Buffer.byteLength(body), AWS_LIMITS.batchEntries, AWS_LIMITS.messageBytes),
      );
      await Promise.all(batches.map((batch) => sendAll(batch, sent)));
      return sends.map((_, place) => sent.has(place));
    },

    giveBack: async ({ queue, receipt, messageId }, seconds) => {
      try {
        await client.send(
          new ChangeMessageVisibilityCommand({
            QueueUrl: urlOf(queue),
            ReceiptHandle: receipt,
            VisibilityTimeout: seconds,
          }),
        );
      } catch (error) {
        telemetry.log('warn', 'hint not given back', { queue: nameOfQueue(queue), messageId, error: String(error) });
      }
    },
  };
}
