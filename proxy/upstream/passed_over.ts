/** How long an endpoint that cannot be reached is passed over, in milliseconds: twice as long each time. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

/** Remembers that an endpoint could not be reached, for a while. */
export class PassedOver {
  #failures = 0;
  #until = -Infinity;

  /** Is it passed over at this moment? */
  get isNow(): boolean {
    return this.#failures > 0 && this.#until > performance.now();
  }

  /** It was reached. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** It could not be reached. */
  failed(): void {
    this.#until = performance.now() + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures++);
  }
}
