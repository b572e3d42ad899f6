import { acceptedSchema, LIMITS, ROUTES } from '@sluice/contracts';
import type { Accepted } from '@sluice/contracts';
import { BATCH_ROOM, callBatch, delayAfter, pack } from './batch.ts';
import type { ItemAnswer } from './batch.ts';
import type { Encoded } from './encode.ts';
import { pause } from './retry.ts';
import type { Transport } from './transport.ts';

/** A task on its way, and the caller who waits for it. */
interface Passenger {
  readonly item: Encoded;
  readonly arrive: (answer: ItemAnswer) => void;
  readonly fail: (error: unknown) => void;
  /** Set once its call is under way: its caller does not want it any more. */
  leave?: () => void;
}

/** Gathers the tasks that are submitted within some milliseconds into one batch call. */
export class Coalescer {
  readonly #transport: Transport;
  readonly #windowMs: number;
  #waiting: Passenger[] = [];
  /** Of those that wait, with a comma for each. */
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param windowMs milliseconds that the first task of a call waits for others; 0 sends each alone, and at once */
  constructor(transport: Transport, windowMs: number) {
    this.#transport = transport;
    this.#windowMs = windowMs;
  }

  /**
   * Submits a task with those of other callers. When it alone is refused for now it alone goes again, with the next ones.
   * @throws ApiError, ConnectionError, SchemaMismatchError; the signal's reason
   */
  async submit(item: Encoded, signal: AbortSignal | undefined): Promise<Accepted> {
    // Alone in a batch it has less room than alone in a call.
    if (this.#windowMs === 0 || item.bytes > BATCH_ROOM) return this.#alone(item, signal);
    for (let repeat = 1; ; repeat++) {
      signal?.throwIfAborted();
      const answer = await this.#board(item, signal);
      if (answer.ok) return answer.task;
      const delay = delayAfter(this.#transport, answer, repeat, Math.random());
      if (delay === undefined) throw answer.error;
      await pause(delay, signal);
    }
  }

  async #alone(item: Encoded, signal: AbortSignal | undefined): Promise<Accepted> {
    return (await this.#transport.call({ ...ROUTES.submit, schema: acceptedSchema, body: item.json, signal })).data;
  }

  #board(item: Encoded, signal: AbortSignal | undefined): Promise<ItemAnswer> {
    if (this.#bytes + item.bytes > BATCH_ROOM) this.#send();
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#drop(passenger);
        passenger.fail(signal?.reason);
      };
      const passenger: Passenger = {
        item,
        arrive: (answer) => {
          signal?.removeEventListener('abort', abort);
          resolve(answer);
        },
        fail: (error) => {
          signal?.removeEventListener('abort', abort);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's reason, whatever it is
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort);
      this.#waiting.push(passenger);
      this.#bytes += item.bytes + 1;
      if (this.#waiting.length === LIMITS.batchTasks) this.#send();
      else this.#timer ??= setTimeout(() => this.#send(), this.#windowMs);
    });
  }

  #drop(passenger: Passenger): void {
    if (passenger.leave) return passenger.leave();
    this.#waiting = this.#waiting.filter((other) => other !== passenger);
    this.#bytes -= passenger.item.bytes + 1;
    if (this.#waiting.length === 0) this.#stopTimer();
  }

  #send(): void {
    const passengers = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    this.#stopTimer();
    if (passengers.length > 0) void this.#carry(passengers);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One call. It is aborted, with its repeats, only when nobody waits for it any more. */
  async #carry(passengers: readonly Passenger[]): Promise<void> {
    const call = new AbortController();
    let wanted = passengers.length;
    for (const passenger of passengers) {
      passenger.leave = () => {
        wanted -= 1;
        if (wanted === 0) call.abort();
      };
    }
    try {
      const [first] = passengers;
      if (first && passengers.length === 1) {
        first.arrive({ ok: true, task: await this.#alone(first.item, call.signal) });
        return;
      }
      const { body } = pack(passengers.map(({ item }) => item));
      const answers = await callBatch(this.#transport, body, passengers.length, call.signal);
      for (const [i, answer] of answers.entries()) passengers[i]?.arrive(answer);
    } catch (error) {
      for (const passenger of passengers) passenger.fail(error);
    }
  }
}
