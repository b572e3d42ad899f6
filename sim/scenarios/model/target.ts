import type { Metrics } from '../engine/metrics.ts';
import type { World } from '../engine/world.ts';
import { PARAMETERS } from '../parameters.ts';
import { OUTCOMES, type AttemptEnd } from './outcome.ts';

/** What is downstream of the handlers: how much it takes at once, how long it takes, and when it fails. */
export interface TargetRules {
  /** Attempts at once. */
  readonly capacity: (now: number) => number;
  /**
   * What happens beyond it. `wait`: a 429 at once. `event`: Lambda keeps the event and tries again until it is too old.
   * `congest`: nothing is refused and everything takes longer, in proportion.
   */
  readonly beyond: 'wait' | 'event' | 'congest';
  /** By how much longer everything takes at that time. @default 1 */
  readonly slow?: (now: number) => number;
  /** How an attempt that runs through ends. @default it succeeds */
  readonly end?: (task: number, now: number) => AttemptEnd;
  /** ms after which an attempt is cut off, and has failed. @default never */
  readonly timeoutMs?: number;
}

const { throttleMs, eventAgeSeconds, eventBackoffSeconds } = PARAMETERS;

export class Target {
  /** Attempts that run. */
  running = 0;
  /** Attempts that were begun and have not ended: those that Lambda keeps as events too. */
  begun = 0;
  /** Integral of what runs and of the capacity over time, attempts × ms. */
  used = 0;
  offered = 0;
  readonly #world: World;
  readonly #rules: TargetRules;
  readonly #metrics: Metrics;
  readonly #ended: (task: number, end: AttemptEnd) => void;
  readonly #ends: readonly ((at: number, task: number) => void)[];
  readonly #again: (at: number, task: number) => void;
  /** Of events that wait: how often they were tried, and since when. */
  readonly #waiting = new Map<number, { tries: number; readonly since: number }>();
  #changed = 0;

  constructor(world: World, rules: TargetRules, metrics: Metrics, ended: (task: number, end: AttemptEnd) => void) {
    this.#world = world;
    this.#rules = rules;
    this.#metrics = metrics;
    this.#ended = ended;
    this.#ends = OUTCOMES.map((end) =>
      world.on((task) => {
        if (end !== 'throttled') this.#run(-1);
        this.#end(task, end);
      }),
    );
    this.#again = world.on((task) => this.#try(task));
  }

  /** Begins an attempt. */
  begin(task: number): void {
    this.begun += 1;
    this.#metrics.started(task);
    this.#try(task);
  }

  /** Brings the integrals up to now. */
  settle(): void {
    const { now } = this.#world;
    this.used += this.running * (now - this.#changed);
    this.offered += this.#rules.capacity(now) * (now - this.#changed);
    this.#changed = now;
  }

  #try(task: number): void {
    const { now, tasks } = this.#world;
    const { capacity, beyond, slow, end, timeoutMs = Infinity } = this.#rules;
    const most = capacity(now);
    if (beyond !== 'congest' && this.running >= most) return beyond === 'wait' ? this.#refuse(task) : this.#keep(task);
    this.#waiting.delete(task);
    this.#run(1);
    const congestion = beyond === 'congest' ? Math.max(1, this.running / Math.max(1, most)) : 1;
    const takes = tasks.work[task]! * (slow?.(now) ?? 1) * congestion;
    const how = takes > timeoutMs ? 'failed' : (end?.(task, now) ?? 'succeeded');
    this.#ends[OUTCOMES.indexOf(how)]!(now + Math.min(takes, timeoutMs), task);
  }

  #refuse(task: number): void {
    this.#ends[OUTCOMES.indexOf('throttled')]!(this.#world.now + throttleMs, task);
  }

  #keep(task: number): void {
    const { now } = this.#world;
    const event = this.#waiting.get(task) ?? { tries: 0, since: now };
    // A sum of fractions may be a bit short.
    if (now - event.since >= eventAgeSeconds * 1000 - 1) {
      this.#waiting.delete(task);
      return this.#end(task, 'throttled');
    }
    this.#waiting.set(task, { ...event, tries: event.tries + 1 });
    const { first, factor, most } = eventBackoffSeconds;
    const seconds = Math.min(most, first * factor ** event.tries);
    this.#again(Math.min(now + seconds * 1000, event.since + eventAgeSeconds * 1000), task);
  }

  #run(by: number): void {
    this.settle();
    this.running += by;
  }

  #end(task: number, end: AttemptEnd): void {
    this.begun -= 1;
    const group = this.#metrics.groupOf(task);
    if (end === 'throttled') group.throttled += 1;
    else if (end === 'succeeded') this.#metrics.succeeded(task);
    else group.failures += 1;
    this.#ended(task, end);
  }
}
