import type { Chance } from '../engine/chance.ts';
import { Numbers } from '../engine/numbers.ts';
import type { World } from '../engine/world.ts';
import { PARAMETERS } from '../parameters.ts';

const { transitMs, batch, pollers } = PARAMETERS;

export interface EventSourceRules {
  /** Works off a batch. @returns ms that it takes, or `undefined` when it says itself that it has ended: by `finish` */
  readonly work: (messages: readonly number[]) => number | undefined;
  /** Invocations at once. @default Lambda's */
  readonly most?: number;
}

/** A queue and the function behind it, as Lambda polls: a few invocations at once, more of them while messages wait. */
export class EventSource {
  /** Messages that came, each time that one is received. */
  received = 0;
  readonly #world: World;
  readonly #rules: Required<EventSourceRules>;
  readonly #chance: Chance;
  readonly #visible = new Numbers();
  readonly #show: (at: number, message: number) => void;
  readonly #end: (at: number) => void;
  readonly #grow: (at: number) => void;
  #transit = 0;
  #busy = 0;
  #allowed: number;
  #growing = false;
  /** Nothing is received before that time, ms. */
  #deadUntil = 0;

  constructor(world: World, rules: EventSourceRules) {
    this.#world = world;
    this.#chance = world.chance(`transit ${world.nextNumber()}`);
    this.#rules = { most: pollers.most, ...rules };
    this.#allowed = Math.min(pollers.first, this.#rules.most);
    this.#show = world.on((message) => {
      this.#transit -= 1;
      this.#visible.push(message);
      this.#poll();
    });
    this.#end = world.on(() => this.finish());
    this.#grow = world.on(() => {
      this.#growing = false;
      if (this.#visible.size === 0) return void (this.#allowed = Math.max(this.#busy, pollers.first));
      this.#allowed = Math.min(this.#rules.most, this.#allowed + pollers.perMinute / 60);
      this.#poll();
    });
  }

  /** What waits: what a queue says of its depth. */
  get depth(): number {
    return this.#visible.size + this.#transit;
  }

  send(message: number, delayMs = 0): void {
    this.#transit += 1;
    this.#show(this.#world.now + transitMs.least + this.#chance.exponential(transitMs.more) + delayMs, message);
  }

  /** An invocation has ended. */
  finish(): void {
    this.#busy -= 1;
    this.#poll();
  }

  /** Nobody receives until that time, ms. */
  kill(until: number): void {
    this.#deadUntil = until;
    const wake = this.#world.on(() => this.#poll());
    wake(until);
  }

  #poll(): void {
    if (this.#world.now < this.#deadUntil) return;
    while (this.#visible.size > 0 && this.#busy < this.#allowed) {
      const messages = Array.from({ length: Math.min(batch, this.#visible.size) }, () => this.#visible.shift());
      this.received += messages.length;
      this.#busy += 1;
      const takes = this.#rules.work(messages);
      if (takes !== undefined) this.#end(this.#world.now + takes);
    }
    if (this.#visible.size > 0 && !this.#growing && this.#allowed < this.#rules.most) {
      this.#growing = true;
      this.#grow(this.#world.now + 1_000);
    }
  }
}
