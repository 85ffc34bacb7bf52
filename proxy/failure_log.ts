import type { Log } from "@pingress/config";
import { ProxyError } from "./errors.ts";

/** What a client did wrong is no news for an operator. */
const CLIENT_FAILURES: ReadonlySet<string> = new Set(["bad_request", "client_timeout"]);

/** How often the same failure is told, in milliseconds. */
const FAILURE_INTERVAL = 10_000;

/** How many failures are remembered; more than that at a time need no telling one by one. */
const MAX_FAILURES = 1000;

/** Tells of backends that fail, each failure once in a while: a log line for every request would be a flood. */
export class FailureLog {
  readonly #log: Log;
  readonly #told = new Map<string, number>();

  /** Writes to `log`. */
  constructor(log: Log) {
    this.#log = log;
  }

  /** Tells of a failure, if it is due. What the client did wrong is not told. */
  report(error: unknown): void {
    if (!(error instanceof ProxyError)) {
      const stack = error instanceof Error ? error.stack : String(error);
      this.#log.error("A request failed in the proxy itself", { error: stack });
    } else if (!CLIENT_FAILURES.has(error.reason) && this.#isDue(error.message)) {
      this.#log.warn("Requests fail", { reason: error.reason, error: error.message });
    }
  }

  #isDue(message: string): boolean {
    const now = performance.now();
    if (now - (this.#told.get(message) ?? -Infinity) < FAILURE_INTERVAL) return false;
    if (this.#told.size >= MAX_FAILURES) this.#told.clear();
    this.#told.set(message, now);
    return true;
  }
}
