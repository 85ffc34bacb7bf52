import { createHmac, randomBytes } from "node:crypto";
import { ProxyError } from "../errors.ts";
import type { Comparison } from "./password_worker.ts";

/** A thread that compares passwords, one after the other. */
export interface PasswordThread {
  /** Compares. Rejects when the thread dies. */
  compare(comparison: Comparison): Promise<boolean>;
  /** Ends it at once. */
  close(): void;
}

/** How many answers are remembered. */
const MOST_KNOWN = 1000;

/** How many passwords may wait for their turn. */
const MOST_WAITING = 50;

/**
 * Compares passwords with their hashes in a thread of its own, which is there from the first time on. Answers are
 * remembered by a digest that nobody else can make.
 */
export class PasswordChecker {
  readonly #start: () => PasswordThread;
  readonly #key = randomBytes(32);
  readonly #known = new Map<string, Promise<boolean>>();
  #thread: PasswordThread | undefined;
  #waiting = 0;

  /** Starts no thread yet. */
  constructor(start: () => PasswordThread = startPasswordThread) {
    this.#start = start;
  }

  /** Is this the password of a hash? @throws {ProxyError} when too many others wait to be compared. */
  matches(password: string, hash: string): Promise<boolean> {
    const digest = createHmac("sha256", this.#key).update(`${hash}\0${password}`).digest("base64");
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    if (this.#waiting >= MOST_WAITING) {
      throw new ProxyError("auth_failed", `${MOST_WAITING} passwords wait to be compared`);
    }
    const answer = this.#compare({ password, hash });
    this.#known.set(digest, answer);
    answer.catch(() => this.#known.delete(digest));
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value ?? "");
    return answer;
  }

  /** Ends the thread. */
  close(): void {
    this.#thread?.close();
    this.#thread = undefined;
  }

  async #compare(comparison: Comparison): Promise<boolean> {
    this.#waiting++;
    try {
      this.#thread ??= this.#start();
      return await this.#thread.compare(comparison);
    } catch (cause) {
      this.close();
      throw new ProxyError("auth_failed", "passwords cannot be compared", { cause });
    } finally {
      this.#waiting--;
    }
  }
}

/** Starts a thread. */
export function startPasswordThread(): PasswordThread {
  const thread = new Worker(import.meta.resolve("./password_worker.ts"), { type: "module" });
  const asking: PromiseWithResolvers<boolean>[] = [];
  const end = (reason: string) => {
    for (const { reject } of asking.splice(0)) reject(new Error(reason));
  };
  thread.onmessage = ({ data }: MessageEvent<boolean>) => asking.shift()?.resolve(data);
  thread.onerror = (event) => {
    // it would end this thread, too
    event.preventDefault();
    end(event.message);
  };
  return {
    compare: (comparison) => {
      const answer = Promise.withResolvers<boolean>();
      asking.push(answer);
      thread.postMessage(comparison);
      return answer.promise;
    },
    close: () => {
      thread.terminate();
      end("The thread was ended");
    },
  };
}
