/** How often deadlines are looked at, in milliseconds: none is late by more. */
const TICK_MILLISECONDS = 100;

/** A tick that comes later than this found the program busy, in milliseconds. */
const BUSY_MILLISECONDS = 1000;

/** Something that may take only so long. */
export interface Expiring {
  /** When it is over, on the clock of {@linkcode Deadlines.now}; Infinity while there is no hurry. */
  deadline: number;
  /** Called once when the deadline has passed, which is Infinity again then. */
  expire(): void;
}

/**
 * Looks after everything that may take only so long. One timer serves all: to set a deadline is to write a
 * number, where a timer for each would cost as much as the parsing of a request.
 */
export class Deadlines {
  readonly #watched = new Set<Expiring>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = performance.now();

  /** The time of the last tick, in milliseconds of `performance.now()`. */
  get now(): number {
    return this.#now;
  }

  /** Looks after one more. */
  add(expiring: Expiring): void {
    this.#watched.add(expiring);
    if (this.#timer !== undefined) return;
    this.#now = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  /** Looks after it no more. */
  delete(expiring: Expiring): void {
    this.#watched.delete(expiring);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const before = this.#now;
    this.#now = performance.now();
    // what was due may have arrived while nobody could look: it is read before the next tick
    if (this.#now - before > BUSY_MILLISECONDS) return;
    for (const expiring of this.#watched) {
      if (expiring.deadline > this.#now) continue;
      expiring.deadline = Infinity;
      expiring.expire();
    }
  }
}
