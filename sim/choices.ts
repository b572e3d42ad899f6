/**
 * THE KERNEL, for whoever builds on it (more in docs/simulation.md):
 * - `choices.ts`   where every choice comes from: a seed draws it, a replay reads it from a list. 0 is always the plain
 *                  one: no fault, no time lost, no task. An explorer is one more {@link ChoiceSource}.
 * - `quiet.ts`     `quiet()` resolves when all production code waits for a call of a port (or is done).
 * - `services.ts`  the services: memory adapters of one platform. No faults, no time of their own.
 * - `observed.ts`  the services with a listener that hears of every call that was applied; checks listen there.
 * - `ports.ts`     the ports of one invocation as calls that somebody else decides on: `portsThrough(services, onCall)`.
 *                  A call is applied by `call.apply()`; what its caller is told when nothing is known is `unknownAnswer`.
 * - `functions.ts` the entry points (submit, dispatch, settle, …) as functions of such ports.
 * - `checks/`      what must always hold.
 * - `kernel.ts`    the heap of virtual time that the random simulation runs by; an explorer brings its own order.
 */
import { hashText, mix, type Key } from './hash.ts';

/** Where choices come from. The same key is asked for once in a run. */
export interface ChoiceSource {
  /**
   * One of 0 to n - 1. 0 is the plain one.
   * @param what what is chosen, for a history
   * @param weights of 0 to n - 1, in any unit; uniform without
   */
  readonly draw: (key: Key, n: number, what: string, weights?: readonly number[]) => number;
}

/** A choice that was not the plain one. */
export interface Chosen {
  readonly value: number;
  readonly what: string;
}

/** Choices by the number of their key. What is not in it is 0. */
export type ChoiceList = ReadonlyMap<number, Chosen>;

/**
 * The choices of one thing that happens: an operation of the workload, an invocation, a message. They depend on what it
 * is, not on what happened before it elsewhere, so that taking one choice away leaves the others what they are.
 */
export class Stream {
  readonly key: Key;
  readonly #source: ChoiceSource;
  #asked: Map<string, number> | undefined;

  constructor(source: ChoiceSource, key: Key = [0x9e3779b9, 0x85ebca6b]) {
    this.#source = source;
    this.key = key;
  }

  /** The choices of a part, by its name and number. */
  fork(name: string, n = 0): Stream {
    return new Stream(this.#source, mix(this.key, hashText(name), n));
  }

  /** The choices of the next part of that name. */
  next(name: string): Stream {
    return this.fork(name, this.#again(`next ${name}`));
  }

  /** One of 0 to n - 1; asked again with the same `what`, another choice. */
  choose(n: number, what: string, weights?: readonly number[]): number {
    return this.#source.draw(mix(this.key, hashText(what), this.#again(what)), n, what, weights);
  }

  /** Whether something happens that has this chance of it. */
  happens(chance: number, what: string): boolean {
    return this.choose(2, what, [1 - chance, chance]) === 1;
  }

  /** Random bits that are the same whatever is chosen: for names. */
  bits(what: string): Key {
    return mix(this.key, hashText(what), this.#again(what));
  }

  #again(what: string): number {
    const asked = (this.#asked ??= new Map<string, number>());
    const n = asked.get(what) ?? 0;
    asked.set(what, n + 1);
    return n;
  }
}

/** Draws every choice from a seed. */
export function seeded(seed: number): ChoiceSource {
  const salt = mix([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0], 0x5eed, 1);
  return {
    draw: (key, n, _what, weights) => {
      const fraction = mix(key, salt[0], salt[1])[0] / 2 ** 32;
      if (!weights) return Math.floor(fraction * n);
      let sum = 0;
      for (let i = 0; i < n; i++) sum += weights[i] ?? 0;
      let left = fraction * sum;
      for (let i = 0; i < n; i++) {
        left -= weights[i] ?? 0;
        if (left < 0) return i;
      }
      return 0;
    },
  };
}

/** Reads every choice from a list; what is not in it is the plain one. A chance of 0 does not keep it from happening. */
export function replayed(list: ChoiceList): ChoiceSource {
  return { draw: (key, n) => Math.min(list.get(numberOf(key))?.value ?? 0, n - 1) };
}

/** Notes what was chosen and was not the plain one. */
export function recorded(source: ChoiceSource, into: Map<number, Chosen>): ChoiceSource {
  return {
    draw: (key, n, what, weights) => {
      const value = source.draw(key, n, what, weights);
      if (value !== 0) into.set(numberOf(key), { value, what });
      return value;
    },
  };
}

/** 53 bits of a key: within one run no two are equal. */
export function numberOf([high, low]: Key): number {
  return high * 2 ** 21 + (low >>> 11);
}
