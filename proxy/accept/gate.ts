import type { Deadlines } from "../deadlines.ts";
import type { Closable, ConnectionKeeper } from "./connection.ts";

/** Options of {@linkcode Gate}. */
export interface GateOptions {
  /** Looks after the connections' deadlines. */
  deadlines: Deadlines;
  /** How many connections there may be in all. */
  maxConnections: number;
  /** How many there may be from one address; 0 for no limit. */
  maxConnectionsPerClient: number;
}

const SOUGHT_AT_ONCE = 256;

/** Decides which connections may stay. */
export class Gate implements ConnectionKeeper {
  /** See {@linkcode ConnectionKeeper}. */
  readonly deadlines: Deadlines;
  /** See {@linkcode ConnectionKeeper}. */
  readonly connections = new Set<Closable>();
  readonly #options: GateOptions;
  readonly #byClient = new Map<string, number>();
  #longestWaiting: { connection: Closable; since: number }[] = [];
  #count = 0;
  #refused = 0;
  #evicted = 0;

  /** A gate that nobody has passed. */
  constructor(options: GateOptions) {
    this.deadlines = options.deadlines;
    this.#options = options;
  }

  /** How many connections there are. */
  get count(): number {
    return this.#count;
  }

  /** How many were refused, because there were too many from their address, or no place could be made. */
  get refused(): number {
    return this.#refused;
  }

  /** How many that waited for a request were closed for others. */
  get evicted(): number {
    return this.#evicted;
  }

  /**
   * Lets a connection in, if there is a place. When there is none, the one that has waited longest for a
   * request makes one: a flood of idle connections pushes out its own.
   *
   * @returns a function to be called once when it has ended, or nothing.
   */
  admit(): (() => void) | undefined {
    if (this.#count >= this.#options.maxConnections && !this.evict()) {
      this.#refused++;
      return undefined;
    }
    this.#count++;
    return () => this.#count--;
  }

  /**
   * Lets a connection go on, once it is known whose it is.
   *
   * @returns a function to be called once when it has ended; nothing when its client has too many.
   */
  admitClient(address: string): (() => void) | undefined {
    const { maxConnectionsPerClient } = this.#options;
    if (maxConnectionsPerClient === 0) return nothing;
    const count = this.#byClient.get(address) ?? 0;
    if (count >= maxConnectionsPerClient) {
      this.#refused++;
      return undefined;
    }
    this.#byClient.set(address, count + 1);
    return () => {
      const left = (this.#byClient.get(address) ?? 1) - 1;
      if (left === 0) this.#byClient.delete(address);
      else this.#byClient.set(address, left);
    };
  }

  /** Closes the connection that has waited longest for a request. @returns whether there was one. */
  evict(): boolean {
    for (let isSought = false; !isSought;) {
      if (this.#longestWaiting.length === 0) {
        isSought = true;
        this.#seekLongestWaiting();
      }
      for (let victim; (victim = this.#longestWaiting.pop()) !== undefined;) {
        // it may have been asked something since it was sought
        if (!victim.connection.isWaiting || victim.connection.waitingSince !== victim.since) continue;
        this.#evicted++;
        victim.connection.close();
        return true;
      }
    }
    return false;
  }

  /** Many at once, for to look at all connections for each one that must go would be slow in a flood. */
  #seekLongestWaiting(): void {
    this.#longestWaiting = [...this.connections]
      .filter((connection) => connection.isWaiting)
      .map((connection) => ({ connection, since: connection.waitingSince }))
      .sort((one, other) => one.since - other.since)
      .slice(0, SOUGHT_AT_ONCE)
      .reverse();
  }

  /** Closes all connections that wait for a request, but those that end by themselves. */
  closeWaiting(): void {
    for (const connection of this.connections) {
      if (connection.isWaiting && !connection.saysGoodbye) connection.close();
    }
  }
}

function nothing(): void {}
