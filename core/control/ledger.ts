/** What is left of capacities that claimants draw on together. */
export class Ledger<C> {
  readonly #left = new Map<C, number>();
  readonly #whole: (capacity: C) => number;

  /** @param whole of a capacity, what there is of it */
  constructor(whole: (capacity: C) => number) {
    this.#whole = whole;
  }

  take(capacities: readonly C[], n: number): void {
    for (const capacity of capacities) this.#left.set(capacity, this.left(capacity) - n);
  }

  /** Below 0 where more was taken than there is. */
  left(capacity: C): number {
    return this.#left.get(capacity) ?? this.#whole(capacity);
  }

  /** What a claimant may take more. */
  room(capacities: readonly C[]): number {
    return Math.max(0, Math.min(...capacities.map((capacity) => this.left(capacity))));
  }
}
