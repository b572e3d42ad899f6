import type { Clock } from '../../../local/clock.ts';

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  private time: number;
  private readonly timers = new Set<{ due: number; callback: () => void }>();

  constructor(time = 1_700_000_000_000) {
    this.time = time;
  }

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.time + milliseconds, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves on, calling back in order; what is due in between sees its own time. */
  async advance(milliseconds: number): Promise<void> {
    await settled();
    const end = this.time + milliseconds;
    for (;;) {
      const next = [...this.timers].sort((a, b) => a.due - b.due)[0];
      if (next === undefined || next.due > end) break;
      this.timers.delete(next);
      this.time = Math.max(this.time, next.due);
      next.callback();
      await settled();
    }
    this.time = end;
    await settled();
  }
}

/** Lets promises that are due run to their next wait. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
