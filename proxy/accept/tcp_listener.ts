import { type Address, errorMessage, type Log } from "@pingress/config";
import type { Gate } from "./gate.ts";

/** Options of {@linkcode TcpListener}. */
export interface TcpListenerOptions {
  /** Where clients connect to. */
  address: Address;
  /** Do other listeners of this program share the address (SO_REUSEPORT)? */
  reusePort: boolean;
  /** Decides which connections may stay. */
  gate: Gate;
  /** Told about failures to accept. */
  log: Log;
}

/** How many connections may wait to be accepted: a burst of clients comes at once. */
const BACKLOG = 4096;

/** How long accepting rests after a failure, in milliseconds. */
const PAUSE_MILLISECONDS = 50;

/** Accepts connections on a port, whatever is spoken on them. */
export class TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #serve: (tcp: Deno.TcpConn) => Promise<void>;
  readonly #listener: Deno.TcpListener;
  readonly #running = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;
  #isClosed = false;
  /** Connections since the start. */
  accepted = 0;

  /**
   * Starts listening; `serve` serves a connection and closes it, and never rejects.
   *
   * @throws {Deno.errors.AddrInUse} and what else `Deno.listen` throws.
   */
  constructor(options: TcpListenerOptions, serve: (tcp: Deno.TcpConn) => Promise<void>) {
    this.#options = options;
    this.#serve = serve;
    const { hostname, port } = options.address;
    const { reusePort } = options;
    this.#listener = Deno.listen({ hostname, port, tcpBacklog: BACKLOG, ...reusePort && { reusePort } });
    this.#accepting = this.#accept();
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener.addr;
  }

  /** Stops accepting. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
  }

  /** Waits until it accepts no more and all connections have ended: the last one may just be on its way in. */
  async ended(): Promise<void> {
    await this.#accepting;
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    const { gate, log } = this.#options;
    for (;;) {
      try {
        this.#take(await this.#listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        // out of descriptors, or the client was gone before it was accepted: the next one may do better
        log.warn("A connection could not be accepted", { error: errorMessage(error) });
        gate.evict();
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
      }
    }
  }

  #take(tcp: Deno.TcpConn): void {
    this.accepted++;
    const leave = this.#options.gate.admit();
    if (leave === undefined) return tcp.close();
    const running = this.#serve(tcp).finally(() => {
      leave();
      this.#running.delete(running);
    });
    this.#running.add(running);
  }
}
