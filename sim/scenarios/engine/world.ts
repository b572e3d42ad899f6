import { chanceFrom, type Chance } from './chance.ts';
import { EventQueue } from './event-queue.ts';
import { Tasks } from './tasks.ts';

/** Virtual time and the tasks in it. What can happen is registered as a kind of event; an event is a kind and a number. */
export class World {
  readonly tasks = new Tasks();
  readonly seed: number;
  /** Events that have happened. */
  steps = 0;
  #numbers = 0;
  readonly #events = new EventQueue();
  readonly #handlers: ((subject: number) => void)[] = [];

  constructor(seed: number) {
    this.seed = seed;
  }

  /** ms since the beginning. */
  get now(): number {
    return this.#events.now;
  }

  /** 1, 2, 3, …: to name what is alike. */
  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  chance(source: string): Chance {
    return chanceFrom(this.seed, source);
  }

  /** @returns what lets it happen: at some time, about some thing */
  on(handler: (subject: number) => void): (at: number, subject?: number) => void {
    const kind = this.#handlers.push(handler) - 1;
    return (at, subject = 0) => this.#events.push(at, kind, subject);
  }

  /** Calls it now and then every so many ms. */
  every(ms: number, run: () => void, from = 0): void {
    const again = this.on(() => {
      again(this.now + ms);
      run();
    });
    again(from);
  }

  /** Lets everything happen up to that time, ms. */
  run(until: number): void {
    const events = this.#events;
    while (events.pop(until)) {
      this.steps += 1;
      this.#handlers[events.kind]!(events.subject);
    }
  }
}
