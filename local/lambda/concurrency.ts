export type ThrottleReason = 'ConcurrentInvocationLimitExceeded' | 'ReservedFunctionConcurrentInvocationLimitExceeded';

/** What the account keeps for functions without a reservation, however much is reserved. */
const MIN_UNRESERVED = 10;

/**
 * The account's concurrency: functions with a reservation have theirs alone, the others share what is left.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
 */
export class ConcurrencyPool {
  private readonly limit: number;
  private readonly reserved = new Map<string, number>();
  private readonly running = new Map<string, number>();
  private readonly listeners: (() => void)[] = [];

  constructor(limit: number) {
    this.limit = limit;
  }

  reserve(functionName: string, count: number | undefined): void {
    if (count === undefined) this.reserved.delete(functionName);
    else this.reserved.set(functionName, count);
  }

  reservationOf(functionName: string): number | undefined {
    return this.reserved.get(functionName);
  }

  /** Takes one unit and returns undefined, or says why there is none. */
  tryAcquire(functionName: string): ThrottleReason | undefined {
    const reason = this.shortage(functionName);
    if (reason === undefined) this.running.set(functionName, (this.running.get(functionName) ?? 0) + 1);
    return reason;
  }

  /** Why the function has no unit free, undefined if it has. */
  shortage(functionName: string): ThrottleReason | undefined {
    const reservation = this.reserved.get(functionName);
    if (reservation !== undefined) {
      const isFull = (this.running.get(functionName) ?? 0) >= reservation;
      return isFull ? 'ReservedFunctionConcurrentInvocationLimitExceeded' : undefined;
    }
    return this.unreservedRunning() >= this.unreservedLimit() ? 'ConcurrentInvocationLimitExceeded' : undefined;
  }

  release(functionName: string): void {
    this.running.set(functionName, (this.running.get(functionName) ?? 1) - 1);
    for (const listener of this.listeners) listener();
  }

  onRelease(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** What runs, in words: `3 submit, 1 dispatch`. */
  describe(): string {
    const busy = [...this.running].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a);
    return busy.map(([name, count]) => `${count} ${name}`).join(', ');
  }

  private unreservedLimit(): number {
    const reserved = [...this.reserved.values()].reduce((sum, count) => sum + count, 0);
    return Math.max(MIN_UNRESERVED, this.limit - reserved);
  }

  private unreservedRunning(): number {
    let sum = 0;
    for (const [name, count] of this.running) if (!this.reserved.has(name)) sum += count;
    return sum;
  }
}
