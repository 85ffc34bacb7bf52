/** Options of {@linkcode TokenBucket}. */
export interface TokenBucketOptions {
  /** How many tokens there are at most, and at first. */
  burst: number;
  /** How long it takes until a token comes back, in milliseconds. */
  interval: number;
}

/** Limits how often something is done. Times are in milliseconds, on a clock that never goes back. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #refilledAt: number;

  /** Is full. */
  constructor(options: TokenBucketOptions, now: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#refilledAt = now;
  }

  /** Takes a token; there must be one. */
  take(now: number): void {
    this.#refill(now);
    this.#tokens--;
  }

  /** How long until there is a token; 0 when there is one. */
  untilToken(now: number): number {
    this.#refill(now);
    // what is missing for want of precision is there
    return this.#tokens > 1 - 1e-9 ? 0 : (1 - this.#tokens) * this.#options.interval;
  }

  /** Has everything come back? */
  isFull(now: number): boolean {
    this.#refill(now);
    return this.#tokens >= this.#options.burst;
  }

  #refill(now: number): void {
    const { burst, interval } = this.#options;
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#refilledAt) / interval);
    this.#refilledAt = now;
  }
}
