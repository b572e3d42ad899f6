/** Children of a node of the heap: with four the heap is half as deep as with two, and siblings share cache lines. */
const ARITY = 4;

/**
 * What is to happen, ordered by time, then by the order in which it was asked for. A heap in typed arrays: an event is 24
 * bytes and no object, so that millions of them cost neither memory nor the garbage collector's time.
 */
export class EventQueue {
  /** ms of virtual time: of the event that was taken last. */
  now = 0;
  /** Of the event that was taken last. */
  kind = 0;
  /** Of the event that was taken last: what it is about. */
  subject = 0;
  size = 0;
  #asked = 0;
  #at: Float64Array;
  #order: Float64Array;
  #kind: Uint16Array;
  #subject: Int32Array;

  constructor(capacity = 1_024) {
    this.#at = new Float64Array(capacity);
    this.#order = new Float64Array(capacity);
    this.#kind = new Uint16Array(capacity);
    this.#subject = new Int32Array(capacity);
  }

  /** @param at ms; what is past happens now */
  push(at: number, kind: number, subject: number): void {
    if (this.size === this.#at.length) this.#grow();
    const time = at < this.now ? this.now : at;
    const order = this.#asked++;
    let i = this.size++;
    while (i > 0) {
      const parent = (i - 1) >> 2;
      // What was asked for later is never before its parent at the same time.
      if (this.#at[parent]! <= time) break;
      this.#move(parent, i);
      i = parent;
    }
    this.#put(i, time, order, kind, subject);
  }

  /** Takes the next event. @returns false when there is none up to that time; `now` is then that time */
  pop(until: number): boolean {
    if (this.size === 0 || this.#at[0]! > until) {
      if (until > this.now && until !== Infinity) this.now = until;
      return false;
    }
    this.now = this.#at[0]!;
    this.kind = this.#kind[0]!;
    this.subject = this.#subject[0]!;
    const last = --this.size;
    if (last > 0) this.#sink(this.#at[last]!, this.#order[last]!, this.#kind[last]!, this.#subject[last]!);
    return true;
  }

  #sink(at: number, order: number, kind: number, subject: number): void {
    let i = 0;
    for (;;) {
      const first = i * ARITY + 1;
      if (first >= this.size) break;
      const end = Math.min(first + ARITY, this.size);
      let least = first;
      for (let child = first + 1; child < end; child++) if (this.#before(child, least)) least = child;
      const below = this.#at[least]!;
      if (below > at || (below === at && this.#order[least]! > order)) break;
      this.#move(least, i);
      i = least;
    }
    this.#put(i, at, order, kind, subject);
  }

  #before(a: number, b: number): boolean {
    const difference = this.#at[a]! - this.#at[b]!;
    return difference < 0 || (difference === 0 && this.#order[a]! < this.#order[b]!);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#at[from]!, this.#order[from]!, this.#kind[from]!, this.#subject[from]!);
  }

  #put(i: number, at: number, order: number, kind: number, subject: number): void {
    this.#at[i] = at;
    this.#order[i] = order;
    this.#kind[i] = kind;
    this.#subject[i] = subject;
  }

  #grow(): void {
    const capacity = 2 * this.#at.length;
    this.#at = grown(new Float64Array(capacity), this.#at);
    this.#order = grown(new Float64Array(capacity), this.#order);
    this.#kind = grown(new Uint16Array(capacity), this.#kind);
    this.#subject = grown(new Int32Array(capacity), this.#subject);
  }
}

type Column = Float64Array | Uint16Array | Uint8Array | Int32Array | Float32Array;

export function grown<T extends Column>(wider: T, column: T): T {
  wider.set(column);
  return wider;
}
