import { quiet } from './quiet.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

export type Kernel = ReturnType<typeof createKernel>;

/** Virtual time: things happen at their time, those of one time in the order in which they were asked for. */
export function createKernel(start: number) {
  const heap: Event[] = [];
  let now = start;
  let asked = 0;
  let steps = 0;

  const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
  const push = (event: Event): void => {
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Event;
      if (!before(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  };
  const pop = (): Event | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || !last) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      const below = heap[child] as Event;
      if (!before(below, last)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = last;
    return first;
  };

  return {
    now: (): number => now,
    /** @param at ms; what is past happens now */
    at: (at: number, run: () => void): void => push({ at: Math.max(at, now), order: asked++, run }),
    after: (ms: number, run: () => void): void => push({ at: now + ms, order: asked++, run }),
    steps: (): number => steps,
    /** Lets things happen until that time or until something says to stop. After each, all code runs that can. */
    run: async (until: number, stop: () => boolean): Promise<void> => {
      await quiet();
      while (!stop() && heap.length > 0 && (heap[0] as Event).at <= until) {
        const event = pop() as Event;
        now = event.at;
        steps += 1;
        event.run();
        await quiet();
      }
      if (!stop()) now = Math.max(now, until);
    },
  };
}
