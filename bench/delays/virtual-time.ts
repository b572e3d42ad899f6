/** Time that passes only when nothing is left to do in it. */
export interface VirtualTime {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Lets time pass from one thing to the next until it is that late, or until nothing waits. */
  readonly runTo: (end: number) => Promise<void>;
}

/** A discrete-event simulation: whoever sleeps is woken in the order of time, and all else happens in no time. */
export function createVirtualTime(start: number): VirtualTime {
  let now = start;
  const wakes = new Map<number, (() => void)[]>();
  /** A binary heap of the keys of `wakes`. */
  const heap: number[] = [];

  return {
    now: () => now,
    sleep: (milliseconds) =>
      new Promise((resolve) => {
        const at = now + Math.max(0, Math.round(milliseconds));
        const there = wakes.get(at);
        if (there) return void there.push(resolve);
        wakes.set(at, [resolve]);
        push(heap, at);
      }),
    runTo: async (end) => {
      for (;;) {
        // Promises that can go on do so before time passes.
        await new Promise<void>((resolve) => setImmediate(resolve));
        const next = heap[0];
        if (next === undefined || next > end) break;
        pop(heap);
        now = next;
        const due = wakes.get(next) ?? [];
        wakes.delete(next);
        for (const wake of due) wake();
      }
      now = Math.max(now, end);
    },
  };
}

function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) break;
    const child = left + 1 < heap.length && heap[left + 1]! < heap[left]! ? left + 1 : left;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
}

/** At most so many at once; the others wait for their turn. */
export function limited(atOnce: number): <T>(run: () => Promise<T>) => Promise<T> {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
