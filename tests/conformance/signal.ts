import { within } from "../testing.ts";

/** How long a test waits for what should happen at once, in milliseconds. */
export const PATIENCE = 6000;

/** Wakes those who wait for something to happen. */
export class Signal {
  #changed = Promise.withResolvers<void>();

  /** Resolves when something happens next. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Something has happened. */
  tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits until a condition holds, but not for ever. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      const { changed } = this;
      if (condition()) return;
      await within(changed, what, Math.max(1, deadline - performance.now()));
    }
  }
}
