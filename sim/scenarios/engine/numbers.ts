/** Whole numbers, first in, first out, in a ring. */
export class Numbers {
  size = 0;
  #ring = new Int32Array(16);
  #first = 0;

  push(number: number): void {
    if (this.size === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.size) & (this.#ring.length - 1)] = number;
    this.size += 1;
  }

  /** @throws when there is none */
  shift(): number {
    if (this.size === 0) throw new Error('there is no number left');
    const number = this.#ring[this.#first]!;
    this.#first = (this.#first + 1) & (this.#ring.length - 1);
    this.size -= 1;
    return number;
  }

  #grow(): void {
    const wider = new Int32Array(2 * this.#ring.length);
    for (let i = 0; i < this.size; i++) wider[i] = this.#ring[(this.#first + i) & (this.#ring.length - 1)]!;
    this.#ring = wider;
    this.#first = 0;
  }
}
