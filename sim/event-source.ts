import { receivedHint, type MemoryMessages, type ReceivedMessage } from '../adapters/memory/index.ts';
import type { QueueRef, Shard } from '../core/ports/hint-queue.ts';
import { settleRecords } from '../core/settle/settle-records.ts';
import type { Stream } from './choices.ts';
import { dispatch } from './functions.ts';
import { invoke } from './invocation.ts';
import { oneOf, strike, strikes, type Simulation } from './simulation.ts';

/** Messages of one invocation. */
const BATCH = 10;

/** Whom a queue feeds: @returns the messages that stay */
/** Whether anybody is fed from a queue. */
type IsFed = (queue: string) => boolean;

type Consumer = (batch: readonly ReceivedMessage[], stream: Stream, done: (kept: readonly string[]) => void) => void;

/**
 * The event source of a queue: invokes its function with what is visible, and deletes what the function does not keep.
 * A batch whose invocation fails comes again when it is visible again.
 */
function feed(
  sim: Simulation,
  messages: MemoryMessages,
  remove: (receipt: string) => void,
  consume: Consumer,
  isFed: IsFed = () => true,
): void {
  const streams = new Map<string, Stream>();
  const streamOf = (messageId: string): Stream => streams.get(messageId) ?? sim.root.fork(messageId);

  const deliver = (messageId: string, queue: string): void => {
    if (!messages.isVisible(messageId) || !isFed(queue)) return;
    const own = streamOf(messageId).next('delivery');
    const dead = messages.dead().length;
    const batch = messages.receive(1 + own.choose(BATCH, 'batch'), queue);
    if (messages.dead().length > dead) strike(sim, 'dead-lettered');
    // Others were received in its place, or the queue has too many in flight.
    if (messages.isVisible(messageId)) {
      if (batch.length === 0 && messages.dead().length === dead) strike(sim, 'in-flight-full');
      sim.kernel.after(batch.length === 0 ? 1_000 : 2, () => deliver(messageId, queue));
    }
    const first = batch[0];
    if (!first) return;
    const stream = streamOf(first.messageId).fork('received', first.receiveCount);
    if (strikes(sim, stream, 'function-throttled')) {
      sim.history?.add(queue, `gives ${batch.length} to a function that is throttled`);
      return;
    }
    for (const message of batch) meddle(message, streamOf(message.messageId).fork('fate', message.receiveCount), queue);
    consume(batch, stream, (kept) =>
      deleteAll(
        batch.filter((m) => !kept.includes(m.messageId)),
        stream,
      ),
    );
  };

  /** What at-least-once means. */
  const meddle = (message: ReceivedMessage, stream: Stream, queue: string): void => {
    if (strikes(sim, stream, 'visibility-over')) {
      const seconds = oneOf(stream, 'visible in', [0, 1, 20]);
      sim.kernel.after(5, () => messages.changeVisibility(message.receipt, seconds));
    }
    if (strikes(sim, stream, 'duplicate')) {
      sim.kernel.after(oneOf(stream, 'copy after', [0, 100, 5_000, 60_000, 400_000]), () => {
        sim.history?.add(queue, `delivers a copy of ${message.messageId}`, 'duplicate');
        consume([{ ...message, receipt: 'copy', receiveCount: 1 }], stream.fork('copy'), () => {});
      });
    }
  };

  const deleteAll = (batch: readonly ReceivedMessage[], stream: Stream): void => {
    for (const message of batch) {
      if (strikes(sim, stream, 'delete-lost')) {
        sim.history?.add('queue', `does not delete ${message.messageId}`, 'delete-lost');
        continue;
      }
      sim.kernel.after(1, () => {
        // The receipt of an earlier receive may delete a message, or not.
        const old = !messages.isLatest(message.receipt);
        if (old && messages.isThere(message.messageId) && strikes(sim, stream, 'stale-receipt')) messages.forget(message.messageId);
        else remove(message.receipt);
      });
    }
  };

  messages.watch({
    added: (messageId) => void streams.set(messageId, sim.cause.next('message')),
    hidden: (messageId, until, queue) => {
      const stream = streamOf(messageId).next('visible');
      const late = strikes(sim, stream, 'message-late') ? oneOf(stream, 'late by', [500, 5_000, 60_000]) : 1;
      sim.kernel.at(until + late, () => deliver(messageId, queue));
    },
    removed: (messageId) => void streams.delete(messageId),
  });
}

export function feedDispatch(sim: Simulation): void {
  const { queue } = sim.services;
  feed(
    sim,
    queue.messages,
    (receipt) => void queue.remove(receipt),
    (batch, stream, done) => {
      const hints = batch.map(receivedHint);
      invoke(sim, {
        name: 'dispatch',
        stream,
        about: batch.map((m) => `${m.messageId} (receive ${m.receiveCount})`).join(', '),
        run: (ports, { noted }) => dispatch(ports, hints, noted),
        done,
      });
    },
    (name) => {
      const [priority, shard = ''] = name.split('-') as [QueueRef['priority'], string];
      return queue.stateOf({ priority, shard: shard.startsWith('d') ? (shard as Shard) : Number(shard) }) === 'fed';
    },
  );
}

export function feedSettle(sim: Simulation, outcomes: MemoryMessages): void {
  feed(sim, outcomes, outcomes.remove, (batch, stream, done) => {
    invoke(sim, {
      name: 'settle',
      stream,
      about: batch.map((m) => `${m.messageId} (receive ${m.receiveCount})`).join(', '),
      run: (ports) => settleRecords(ports, batch),
      done,
    });
  });
}
