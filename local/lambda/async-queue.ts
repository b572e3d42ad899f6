import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { LogSink } from '../log.ts';
import type { HostState } from '../state.ts';
import { deliverRecord, type DestinationCondition, type SendToArn } from './destinations.ts';
import type { Completed, InvocationTarget, LambdaService } from './service.ts';

/** Waits before the first and the second retry of a function error, in milliseconds. */
export const FUNCTION_ERROR_DELAYS_MS: readonly [number, number] = [60_000, 120_000];

/** The back-off of throttled events: doubled from the first to the last, in milliseconds. */
const [FIRST_THROTTLE_MS, LAST_THROTTLE_MS] = [1000, 300_000];

/** The last result goes into the destination record of an event that ages while it waits for its retry. */
interface AsyncEvent {
  id: string;
  functionName: string;
  qualifier: string | undefined;
  payload: string;
  acceptedAt: number;
  functionErrors: number;
  throttles: number;
  last: Completed | undefined;
}

const KIND = 'async-event';

export interface AsyncQueueOptions {
  state: HostState;
  clock: Clock;
  send: SendToArn;
  log: LogSink;
  /** @default FUNCTION_ERROR_DELAYS_MS */
  functionErrorDelaysMs?: readonly [number, number] | undefined;
}

/**
 * Lambda's queue of asynchronous invocations: an accepted event is kept until it succeeded, ran out of retries or
 * grew too old, and its destination has the record.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
 */
export class AsyncQueue {
  private readonly service: LambdaService;
  private readonly state: HostState;
  private readonly clock: Clock;
  private readonly send: SendToArn;
  private readonly log: LogSink;
  private readonly delays: readonly [number, number];
  private readonly ready = new Map<string, AsyncEvent[]>();
  private readonly blocked = new Map<string, () => void>();
  private readonly timers = new Set<() => void>();
  private closed = false;

  constructor(service: LambdaService, options: AsyncQueueOptions) {
    this.service = service;
    this.state = options.state;
    this.clock = options.clock;
    this.send = options.send;
    this.log = options.log;
    this.delays = options.functionErrorDelaysMs ?? FUNCTION_ERROR_DELAYS_MS;
    service.concurrency.onRelease(() => {
      for (const functionName of [...this.blocked.keys()]) {
        if (service.concurrency.shortage(functionName) === undefined) this.drain(functionName);
      }
    });
  }

  /** Takes up the events that an earlier process accepted. */
  resume(): void {
    for (const { value } of this.state.list(KIND)) this.enqueue(JSON.parse(value) as AsyncEvent);
  }

  /** Accepts an event: once this returns, it survives the process (with a data folder). */
  accept(target: InvocationTarget, payload: string): string {
    const event: AsyncEvent = {
      id: randomUUID(),
      functionName: target.fn.configuration.name,
      qualifier: target.qualifier,
      payload,
      acceptedAt: this.clock.now(),
      functionErrors: 0,
      throttles: 0,
      last: undefined,
    };
    this.state.put(KIND, event.id, JSON.stringify(event));
    this.enqueue(event);
    return event.id;
  }

  close(): void {
    this.closed = true;
    for (const cancel of this.timers) cancel();
    for (const cancel of this.blocked.values()) cancel();
  }

  private enqueue(event: AsyncEvent): void {
    const queue = this.ready.get(event.functionName);
    if (queue === undefined) this.ready.set(event.functionName, [event]);
    else queue.push(event);
    // While the function has no concurrency free, the queue is read when some is given back, not by each arrival.
    if (!this.blocked.has(event.functionName)) this.drain(event.functionName);
  }

  private drain(functionName: string): void {
    this.blocked.get(functionName)?.();
    this.blocked.delete(functionName);
    const queue = this.ready.get(functionName);
    while (queue !== undefined && queue.length > 0 && !this.closed) {
      if (!this.start(queue.shift()!)) {
        this.blocked.set(
          functionName,
          this.clock.after(FIRST_THROTTLE_MS, () => this.drain(functionName)),
        );
        return;
      }
    }
  }

  /** Starts one event or settles it; false when it was throttled. */
  private start(event: AsyncEvent): boolean {
    const target = this.service.find(event.functionName, event.qualifier);
    if (target === undefined) {
      this.forget(event, `its function ${event.functionName} is gone`);
      return true;
    }
    const config = this.service.eventInvokeConfigOf(target);
    const tooOldAt = event.acceptedAt + config.maximumEventAgeSeconds * 1000;
    if (this.clock.now() >= tooOldAt) {
      void this.settle(event, target, 'EventAgeExceeded');
      return true;
    }
    if (this.service.concurrency.reservationOf(event.functionName) === 0) {
      void this.settle(event, target, 'ZeroReservedConcurrency');
      return true;
    }
    const begun = this.service.begin(target, event.payload, event.id);
    if (begun.kind === 'throttled') {
      this.later(event, Math.min(FIRST_THROTTLE_MS * 2 ** event.throttles, LAST_THROTTLE_MS), tooOldAt);
      event.throttles += 1;
      return false;
    }
    begun.completion
      .then((result) => (this.closed ? undefined : this.completed(event, target, result)))
      .catch((error: unknown) => this.forget(event, messageOf(error)));
    return true;
  }

  private async completed(event: AsyncEvent, target: InvocationTarget, result: Completed): Promise<void> {
    const { requestId, payload, executedVersion, functionError } = result;
    event.last = { requestId, payload, executedVersion, ...(functionError === undefined ? {} : { functionError }) };
    if (functionError === undefined) return this.settle(event, target, 'Success');
    const config = this.service.eventInvokeConfigOf(target);
    event.functionErrors += 1;
    if (event.functionErrors > config.maximumRetryAttempts) return this.settle(event, target, 'RetriesExhausted');
    this.state.put(KIND, event.id, JSON.stringify(event));
    const delay = this.delays[event.functionErrors - 1] ?? this.delays[1];
    this.later(event, delay, event.acceptedAt + config.maximumEventAgeSeconds * 1000);
  }

  private later(event: AsyncEvent, delay: number, tooOldAt: number): void {
    const wait = Math.min(delay, Math.max(0, tooOldAt - this.clock.now()));
    const cancel = this.clock.after(wait, () => {
      this.timers.delete(cancel);
      this.enqueue(event);
    });
    this.timers.add(cancel);
  }

  /** The record is sent before the event is forgotten: a process killed in between sends it twice, never not at all. */
  private async settle(event: AsyncEvent, target: InvocationTarget, condition: DestinationCondition): Promise<void> {
    const config = this.service.eventInvokeConfigOf(target);
    const destination = condition === 'Success' ? config.onSuccess : config.onFailure;
    if (destination !== undefined) {
      await deliverRecord(
        destination,
        {
          requestId: event.id,
          functionArn: `${target.fn.arn}:${target.qualifier ?? '$LATEST'}`,
          condition,
          invokeCount: event.functionErrors + (condition === 'Success' ? 1 : 0),
          payload: event.payload,
          last: event.last,
          now: this.clock.now(),
        },
        this.send,
        this.log,
      );
    } else if (condition !== 'Success') {
      this.log({
        level: 'error',
        source: 'lambda',
        functionName: event.functionName,
        requestId: event.id,
        message: `Asynchronous event dropped: ${condition}, and the function has no failure destination.`,
      });
    }
    if (!this.closed) this.state.delete(KIND, event.id);
  }

  private forget(event: AsyncEvent, why: string): void {
    if (this.closed) return;
    this.state.delete(KIND, event.id);
    this.log({ level: 'error', source: 'lambda', requestId: event.id, message: `Asynchronous event dropped: ${why}.` });
  }
}
