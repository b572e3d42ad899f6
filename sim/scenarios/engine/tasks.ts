import { grown } from './event-queue.ts';

export const NONE = -1;
const GONE = -1;

/** Tasks in columns: 49 bytes each, whatever their number. A task is its index, which is used again when it has ended. */
export class Tasks {
  /** Tasks that have not ended. */
  live = 0;
  /** The most that there were at once. */
  mostLive = 0;
  tenant: Int32Array;
  /** Index in `PRIORITIES`. */
  priority: Uint8Array;
  /** ms: when it was accepted. */
  accepted: Float64Array;
  /** ms that an attempt takes when nothing is slow. */
  work: Float32Array;
  /** Attempts that failed and counted. */
  failures: Uint8Array;
  /** Attempts that began, counted or not. */
  starts: Uint8Array;
  /** ms: when its latest attempt was claimed. */
  claimed: Float64Array;
  /** How its latest attempt ended: index in `OUTCOMES`. */
  end: Uint8Array;
  /** Where its permit is held, or what else the system keeps of it. */
  place: Int32Array;
  /** The next one in its list. */
  next: Int32Array;
  /** The next one that the same message names. */
  sibling: Int32Array;
  /** ms: not worth starting after that; `Infinity` for never. */
  expires: Float64Array;
  #free = NONE;
  #used = 0;

  constructor(capacity = 1_024) {
    this.tenant = new Int32Array(capacity);
    this.priority = new Uint8Array(capacity);
    this.accepted = new Float64Array(capacity);
    this.work = new Float32Array(capacity);
    this.failures = new Uint8Array(capacity);
    this.starts = new Uint8Array(capacity);
    this.claimed = new Float64Array(capacity);
    this.end = new Uint8Array(capacity);
    this.place = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.sibling = new Int32Array(capacity);
    this.expires = new Float64Array(capacity);
  }

  add(tenant: number, accepted: number, work: number, priority: number): number {
    let task = this.#free;
    if (task !== NONE) this.#free = this.next[task]!;
    else {
      if (this.#used === this.tenant.length) this.#grow();
      task = this.#used++;
    }
    this.tenant[task] = tenant;
    this.priority[task] = priority;
    this.accepted[task] = accepted;
    this.work[task] = work;
    this.failures[task] = 0;
    this.starts[task] = 0;
    this.place[task] = NONE;
    this.next[task] = NONE;
    this.sibling[task] = NONE;
    this.expires[task] = Infinity;
    this.live += 1;
    if (this.live > this.mostLive) this.mostLive = this.live;
    return task;
  }

  remove(task: number): void {
    this.next[task] = this.#free;
    this.#free = task;
    this.live -= 1;
    this.accepted[task] = GONE;
  }

  /** Calls it for each that has not ended. */
  forEach(see: (task: number) => void): void {
    for (let task = 0; task < this.#used; task++) if (this.accepted[task] !== GONE) see(task);
  }

  #grow(): void {
    const capacity = 2 * this.tenant.length;
    this.tenant = grown(new Int32Array(capacity), this.tenant);
    this.priority = grown(new Uint8Array(capacity), this.priority);
    this.accepted = grown(new Float64Array(capacity), this.accepted);
    this.work = grown(new Float32Array(capacity), this.work);
    this.failures = grown(new Uint8Array(capacity), this.failures);
    this.starts = grown(new Uint8Array(capacity), this.starts);
    this.claimed = grown(new Float64Array(capacity), this.claimed);
    this.end = grown(new Uint8Array(capacity), this.end);
    this.place = grown(new Int32Array(capacity), this.place);
    this.next = grown(new Int32Array(capacity), this.next);
    this.sibling = grown(new Int32Array(capacity), this.sibling);
    this.expires = grown(new Float64Array(capacity), this.expires);
  }
}

/** Tasks one after the other, linked through their column `next`. */
export class TaskList {
  size = 0;
  first = NONE;
  #last = NONE;
  readonly #tasks: Tasks;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  push(task: number): void {
    this.#tasks.next[task] = NONE;
    if (this.first === NONE) this.first = task;
    else this.#tasks.next[this.#last] = task;
    this.#last = task;
    this.size += 1;
  }

  /** Puts one back in front. */
  unshift(task: number): void {
    this.#tasks.next[task] = this.first;
    if (this.first === NONE) this.#last = task;
    this.first = task;
    this.size += 1;
  }

  shift(): number {
    const task = this.first;
    if (task === NONE) return NONE;
    this.first = this.#tasks.next[task]!;
    this.size -= 1;
    return task;
  }
}
