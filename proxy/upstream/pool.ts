import { type Address, errorMessage, formatAddress } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { type Transport, UpstreamConnection } from "./connection.ts";

/** Opens a byte stream to an endpoint. */
export type Dial = (address: Address, signal: AbortSignal) => Promise<Transport>;

/** Options of {@linkcode UpstreamPool}. */
export interface UpstreamPoolOptions {
  /** Opens connections; `Deno.connect` unless told. */
  dial?: Dial;
  /** How long opening may take, in milliseconds. */
  connectTimeout: number;
  /** How long an unused connection is kept, in milliseconds. Must be less than backends keep it (Node: 5 s). */
  idleTimeout?: number;
  /** How many unused connections an endpoint may have. */
  maxIdle?: number;
}

interface IdleConnection {
  connection: UpstreamConnection;
  since: number;
}

/**
 * Connections to endpoints that wait for their next exchange. One that ends or sends anything while it waits
 * is thrown away: whatever it sent belongs to no request.
 */
export class UpstreamPool {
  readonly #idle = new Map<string, IdleConnection[]>();
  readonly #dial: Dial;
  readonly #connectTimeout: number;
  readonly #idleTimeout: number;
  readonly #maxIdle: number;
  readonly #sweeper: ReturnType<typeof setInterval>;

  /** Makes an empty pool. */
  constructor(options: UpstreamPoolOptions) {
    this.#dial = options.dial ?? dialTcp;
    this.#connectTimeout = options.connectTimeout;
    this.#idleTimeout = options.idleTimeout ?? 4000;
    this.#maxIdle = options.maxIdle ?? 256;
    this.#sweeper = setInterval(() => this.#sweep(), Math.max(1, this.#idleTimeout / 4));
  }

  /** Takes a waiting connection, the one used last, or nothing. */
  take(address: Address): UpstreamConnection | undefined {
    return this.#idle.get(formatAddress(address))?.pop()?.connection;
  }

  /**
   * Opens a connection.
   *
   * @throws {ProxyError} when the endpoint refuses, cannot be found or takes too long.
   */
  async connect(address: Address): Promise<UpstreamConnection> {
    const endpoint = formatAddress(address);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), this.#connectTimeout);
    try {
      return new UpstreamConnection(endpoint, await this.#dial(address, deadline.signal));
    } catch (cause) {
      throw deadline.signal.aborted
        ? new ProxyError("upstream_timeout", `${endpoint}: no connection within ${this.#connectTimeout} ms`, {
          cause,
        })
        : new ProxyError("upstream_unreachable", `${endpoint}: ${errorMessage(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Takes back a connection whose exchange ended cleanly. */
  release(connection: UpstreamConnection): void {
    connection.exchanges++;
    let idle = this.#idle.get(connection.endpoint);
    if (idle === undefined) this.#idle.set(connection.endpoint, idle = []);
    if (connection.reader.buffered > 0 || idle.length >= this.#maxIdle) return connection.close();
    const entry = { connection, since: performance.now() };
    idle.push(entry);
    const drop = () => this.#drop(entry);
    // the next exchange waits for these same bytes; when none has begun they are unsolicited, or the end
    connection.reader.fill().then(drop, drop);
  }

  /** Closes all waiting connections. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const idle of this.#idle.values()) for (const { connection } of idle) connection.close();
    this.#idle.clear();
  }

  #drop(entry: IdleConnection): void {
    const idle = this.#idle.get(entry.connection.endpoint);
    const index = idle?.indexOf(entry) ?? -1;
    if (idle === undefined || index === -1) return;
    idle.splice(index, 1);
    entry.connection.close();
  }

  #sweep(): void {
    const oldest = performance.now() - this.#idleTimeout;
    for (const [endpoint, idle] of this.#idle) {
      const fresh = idle.findIndex(({ since }) => since > oldest);
      for (const { connection } of idle.splice(0, fresh === -1 ? idle.length : fresh)) connection.close();
      if (idle.length === 0) this.#idle.delete(endpoint);
    }
  }
}

async function dialTcp({ hostname, port }: Address, signal: AbortSignal): Promise<Transport> {
  const connection = await Deno.connect({ hostname, port, signal });
  connection.setNoDelay(true);
  return connection;
}
