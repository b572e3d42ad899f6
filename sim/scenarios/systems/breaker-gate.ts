import type { Breaker, BreakerCanary } from '@sluice/contracts';
import { admit, isShut, newBreaker, onAlive, onCrash, onProbePassed, onProbeUndone, tend } from '../../../core/breakers/decide.ts';
import { createSightings } from '../../../core/breakers/evidence.ts';
import type { World } from '../engine/world.ts';
import type { AttemptEnd } from '../model/outcome.ts';
import { PARAMETERS } from '../parameters.ts';
import { nameOf } from './shard-queues.ts';
import type { Gate } from './sluice.ts';

const { breakerReadMs, leaseMs } = PARAMETERS;
const KEY = 'type:task';

/** The breaker of the task type, by the decisions of core/breakers. Dispatch knows it a few seconds late, as in production. */
export class BreakerGate implements Gate {
  onOpen?: () => void;
  opened = 0;
  readonly #world: World;
  readonly #sightings = createSightings();
  readonly #canaries = new Map<string, BreakerCanary>();
  readonly #crashed = new Set<string>();
  #breaker: Breaker;
  #known: Breaker | undefined;
  #readAt = -Infinity;

  constructor(world: World) {
    this.#world = world;
    this.#breaker = newBreaker(KEY, 0);
    world.every(60_000, () => this.#change(tend(this.#breaker, world.now)), 60_000);
    // Lanes are told when the next probe may go.
    world.every(1_000, () => {
      if (this.#breaker.state !== 'closed' && !isShut(this.#breaker, world.now)) this.onOpen?.();
    });
  }

  get state(): number {
    return ['closed', 'half-open', 'open'].indexOf(this.#breaker.state);
  }

  pass(tasks: readonly number[]): readonly number[] {
    const { now } = this.#world;
    const known = this.#read();
    if (!known || known.state === 'closed') return tasks;
    if (isShut(known, now)) return [];
    const [first] = tasks;
    if (first === undefined) return [];
    const uids = tasks.map((task) => this.#uid(task));
    const { next, answer } = admit(this.#breaker, { tenant: this.#tenant(first), type: 'task', uids, until: now + leaseMs }, now);
    this.#change(next);
    if (answer === 'all') return tasks;
    const granted = new Set(answer.uids);
    for (const uid of granted) this.#canaries.set(uid, answer.canary);
    return tasks.filter((task) => granted.has(this.#uid(task)));
  }

  undo(tasks: readonly number[]): void {
    const uids = tasks.map((task) => this.#uid(task)).filter((uid) => this.#canaries.delete(uid));
    if (uids.length > 0) this.#change(onProbeUndone(this.#breaker, uids, this.#breaker.opening).next);
  }

  ended(task: number, end: AttemptEnd): number | undefined {
    const { now, tasks } = this.#world;
    const uid = this.#uid(task);
    const canary = this.#canaries.get(uid);
    this.#canaries.delete(uid);
    const beganAt = tasks.claimed[task]!;
    if (end !== 'crashed') {
      this.#alive(task, uid, canary, beganAt);
      return undefined;
    }
    const first = !this.#crashed.has(uid);
    this.#crashed.add(uid);
    const crash = { at: beganAt, seen: now, tenant: this.#tenant(task), uid, first, canary, also: this.#sightings.take(KEY) };
    const { next, answer } = onCrash(this.#breaker, crash, now);
    this.#change(next);
    return answer.excused ? answer.notBefore - now : undefined;
  }

  #alive(task: number, uid: string, canary: BreakerCanary | undefined, beganAt: number): void {
    const { now } = this.#world;
    this.#crashed.delete(uid);
    if (!canary) {
      this.#sightings.alive(KEY, this.#tenant(task), beganAt, now);
      if (this.#breaker.state === 'closed') return;
    }
    const { next, answer } = canary
      ? onProbePassed(this.#breaker, uid, canary, now)
      : onAlive(this.#breaker, this.#tenant(task), beganAt, now);
    this.#change(next);
    if (answer) this.onOpen?.();
  }

  #change(next: Breaker | undefined): void {
    if (!next) return;
    if (next.state === 'open' && this.#breaker.state !== 'open') this.opened += 1;
    this.#breaker = next;
  }

  #read(): Breaker | undefined {
    const { now } = this.#world;
    const fresh = this.#known?.state === 'closed' || this.#known === undefined ? breakerReadMs.closed : breakerReadMs.broken;
    if (now - this.#readAt >= fresh) {
      this.#known = this.#breaker;
      this.#readAt = now;
    }
    return this.#known;
  }

  #tenant(task: number): string {
    return nameOf(this.#world.tasks.tenant[task]!);
  }

  #uid(task: number): string {
    return `${task}@${this.#world.tasks.accepted[task]!}`;
  }
}
