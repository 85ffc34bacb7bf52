/**
 * Chance that can be had again: a counter that goes through the finalizer of MurmurHash3. The numbers depend on
 * the seed and on the number of the input alone, so that one input of a run can be made without the others.
 */
export class Random {
  #state: number;

  /** The chance of one input of a run. */
  constructor(seed: number, index: number) {
    this.#state = mixed(mixed(seed) ^ index);
  }

  /** A number below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return Math.floor(mixed(this.#state) / 0x1_0000_0000 * limit);
  }

  /** True as often as `probability` says. */
  chance(probability: number): boolean {
    return this.below(0x1000_0000) < probability * 0x1000_0000;
  }

  /** One of several. */
  pick<T>(choices: readonly [T, ...T[]] | readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }

  /** So many of what `make` makes. */
  times<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }

  /** Characters from U+0000 to U+00FF. */
  bytes(count: number): string {
    return String.fromCharCode(...this.times(count, () => this.below(256)));
  }
}

function mixed(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
