import { setTimeout as pause } from 'node:timers/promises';
import { AWS_LIMITS, EVENT_SOURCE, type TaskEvent } from '@sluice/contracts';
import { PutEventsCommand, type EventBridgeClient, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import type { EventBus } from '../../core/ports/event-bus.ts';
import type { Random } from '../../core/ports/random.ts';
import { answerOf, unavailable } from './answers.ts';
import { batchesOf } from './batches.ts';

const TRIES = 4;
const FIRST_PAUSE_MS = 25;
/** Bytes of one PutEvents, with room for what EventBridge counts beside the detail. */
const BATCH_BYTES = 240_000;

export interface EventBusConfig {
  readonly bus: string;
  readonly random: Pick<Random, 'fraction'>;
}

/** Tells ends of tasks on an EventBridge bus, as `task.<state>`. */
export function createEventBus(client: EventBridgeClient, config: EventBusConfig): EventBus {
  const entryOf = (event: TaskEvent): PutEventsRequestEntry => ({
    EventBusName: config.bus,
    Source: EVENT_SOURCE,
    DetailType: `task.${event.state}`,
    Detail: JSON.stringify(event),
    Time: new Date(event.at),
  });

  const publishBatch = async (batch: readonly PutEventsRequestEntry[]): Promise<void> => {
    let left = batch;
    let why = '';
    for (let attempt = 0; attempt < TRIES; attempt++) {
      if (attempt > 0) await pause(config.random.fraction() * FIRST_PAUSE_MS * 2 ** attempt);
      const command = new PutEventsCommand({ Entries: [...left] });
      const { Entries = [] } = await answerOf('tell events', client.send(command));
      const failed = Entries.map(({ ErrorCode }) => ErrorCode);
      left = left.filter((_, n) => failed[n] !== undefined);
      if (left.length === 0) return;
      why = failed.find((code) => code !== undefined) ?? '';
    }
    throw unavailable('tell events', new Error(`${left.length} not taken: ${why}`));
  };

  return {
    publish: async (events) => {
      const bytesOf = ({ Detail = '' }: PutEventsRequestEntry): number => Buffer.byteLength(Detail);
      const batches = batchesOf(events.map(entryOf), bytesOf, AWS_LIMITS.batchEntries, BATCH_BYTES);
      await Promise.all(batches.map(publishBatch));
    },
  };
}
