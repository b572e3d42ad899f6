/** Time as a port: tests of retries and schedules move it themselves. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after so many milliseconds; the returned function calls it off. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The longest delay that one timer of Node takes, in milliseconds. */
const MAX_TIMER_MS = 2_147_483_647;

/** The machine's clock with an offset: what waits for a time follows when it jumps. */
export class HostClock implements Clock {
  private offset = 0;
  private readonly waiting = new Set<() => void>();

  /** Milliseconds that it is ahead of the machine's clock. */
  get offsetMs(): number {
    return this.offset;
  }

  now(): number {
    return Date.now() + this.offset;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const due = this.now() + milliseconds;
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      clearTimeout(timer);
      const left = due - this.now();
      timer = left > MAX_TIMER_MS ? setTimeout(arm, MAX_TIMER_MS) : setTimeout(fire, Math.max(0, left));
    };
    const fire = (): void => {
      this.waiting.delete(arm);
      callback();
    };
    this.waiting.add(arm);
    arm();
    return () => {
      this.waiting.delete(arm);
      clearTimeout(timer);
    };
  }

  /** Moves on by so many milliseconds; what has become due comes in the next turn. */
  jump(milliseconds: number): void {
    this.offset += milliseconds;
    for (const arm of [...this.waiting]) arm();
  }
}
