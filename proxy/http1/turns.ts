/** How many sockets Deno serves in one turn of its event loop. */
const SOCKETS = 128;

/** A turn in which so many requests were answered may have left somebody waiting: each has two sockets. */
const FULL = 48;

/**
 * Lets every connection have its turn. Deno's event loop serves {@linkcode SOCKETS} sockets in a turn, and first of
 * all those that became ready last: where more are busy all the time, some would wait for seconds. So after a full
 * turn those that were served stand aside until there is one that is not full.
 */
export class Turns {
  readonly #connections: () => number;
  #answered = 0;
  #isFull = false;
  /** How many full turns there were, one after the other. */
  #full = 0;
  #isRunning = false;
  #aside: (() => void)[] = [];

  /** `connections` says how many there are. */
  constructor(connections: () => number) {
    this.#connections = connections;
  }

  /**
   * To be called before a connection that was served waits for its next request.
   *
   * @returns what it has to wait for, if anything.
   */
  next(): Promise<void> | undefined {
    if (this.#connections() <= SOCKETS) return undefined;
    this.#answered++;
    if (!this.#isRunning) this.#begin();
    if (!this.#isFull && this.#answered < FULL) return undefined;
    return new Promise((resolve) => this.#aside.push(resolve));
  }

  #begin(): void {
    this.#isRunning = true;
    setTimeout(this.#end, 0);
  }

  readonly #end = (): void => {
    this.#isRunning = false;
    this.#isFull = this.#answered >= FULL;
    this.#answered = 0;
    // newcomers may come without end: nobody stands aside for longer than it takes to serve all once
    this.#isFull &&= ++this.#full * FULL < this.#connections();
    if (this.#isFull) return this.#begin();
    this.#full = 0;
    const aside = this.#aside;
    this.#aside = [];
    for (const resume of aside) resume();
  };
}
