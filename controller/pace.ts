import { errorMessage, type Log } from "@pingress/config";
import { TokenBucket } from "./token_bucket.ts";

/** Options of {@linkcode Pace}. */
export interface PaceOptions {
  /** What is done; a failure is told to `onFailure` and tried again. */
  run: () => Promise<void>;
  /** Told of a failure and when the next try is, in milliseconds. */
  onFailure: (error: unknown, retryIn: number) => void;
  /** How long ticks are collected before a run, in milliseconds. */
  collect?: number;
  /** How often it runs under a storm of ticks, in milliseconds. */
  interval?: number;
  /** How many runs may follow each other at once after a quiet time. */
  burst?: number;
  /** The wait after the first failure, doubled after each further one, in milliseconds. */
  retryAfter?: number;
}

const MOST_RETRY_MILLISECONDS = 30_000;

/**
 * Turns ticks into runs: soon after a tick when it was quiet, no more than one in an interval under a storm,
 * never two at a time. A tick during a run leads to another run.
 */
export class Pace {
  readonly #options: Required<PaceOptions>;
  readonly #bucket: TokenBucket;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #isTicked = false;
  #isRetrying = false;
  #failures = 0;
  #closed = false;

  /** Waits for the first tick. */
  constructor(options: PaceOptions) {
    this.#options = { collect: 20, interval: 1000, burst: 3, retryAfter: 1000, ...options };
    this.#bucket = new TokenBucket(this.#options, performance.now());
  }

  /** Something changed. */
  tick(): void {
    if (this.#closed) return;
    this.#isTicked = true;
    if (this.#running !== undefined || (this.#timer !== undefined && !this.#isRetrying)) return;
    // what has changed may be what a failed run has been waiting for
    this.#schedule(Math.max(this.#options.collect, this.#untilToken()));
  }

  /** Waits for the run that is under way, and starts none any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(delay: number, { isRetry = false } = {}): void {
    clearTimeout(this.#timer);
    this.#isRetrying = isRetry;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#run();
    }, delay);
  }

  async #run(): Promise<void> {
    this.#bucket.take(performance.now());
    this.#isTicked = false;
    let delay: number | undefined;
    try {
      await this.#options.run();
      this.#failures = 0;
    } catch (error) {
      delay = Math.min(this.#options.retryAfter * 2 ** this.#failures++, MOST_RETRY_MILLISECONDS);
      this.#options.onFailure(error, delay);
    }
    this.#running = undefined;
    if (this.#closed) return;
    if (this.#isTicked) this.#schedule(Math.max(this.#options.collect, this.#untilToken()));
    else if (delay !== undefined) this.#schedule(delay, { isRetry: true });
  }

  /** How long until a run is allowed, in milliseconds; a token comes back with every interval. */
  #untilToken(): number {
    return this.#bucket.untilToken(performance.now());
  }
}

/** Tells that something failed and is tried again: what {@linkcode Pace} does about it. */
export function tellRetry(log: Log, what: string): PaceOptions["onFailure"] {
  return (error, retryIn) =>
    log.error(`${what}: trying again`, { error: errorMessage(error), seconds: (retryIn / 1000).toFixed(1) });
}
