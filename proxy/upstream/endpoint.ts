import { type Address, errorMessage, formatAddress, type KeyPair } from "@pingress/config";
import type { Deadlines } from "../deadlines.ts";
import { ProxyError } from "../errors.ts";
import type { Transport } from "../transport.ts";
import { UpstreamConnection } from "./connection.ts";
import { PassedOver } from "./passed_over.ts";

/** How an endpoint is spoken to. */
export interface EndpointProtocol {
  /** HTTP/1.1 in clear, HTTP/1.1 over TLS, HTTP/2 in clear, or gRPC in clear or over TLS. */
  name: "HTTP" | "HTTPS" | "H2C" | "GRPC" | "GRPCS";
  /** Over TLS: the name that is asked for and checked; the backend's host unless told. */
  serverName?: string;
  /** Over TLS: is the name checked alone, and not asked for? */
  hidesName?: boolean;
  /** Over TLS: must the certificate be one that the system trusts, or {@linkcode trust}? */
  verifies?: boolean;
  /** Over TLS: the authorities that are trusted instead of the system's, PEM. */
  trust?: string;
  /** Over TLS: what we show. */
  identity?: KeyPair;
}

/** Opens a byte stream to an endpoint. */
export type Dial = (
  address: Address,
  options: { protocol: EndpointProtocol; signal: AbortSignal },
) => Promise<Transport>;

/** Options of an {@linkcode Endpoint}. */
export interface EndpointOptions {
  /** Opens connections. */
  dial: Dial;
  /** Looks after the connections' deadlines. */
  deadlines: Deadlines;
  /** How long opening may take, and waiting for a connection when all are in use, in milliseconds. */
  connectTimeout: number;
  /** How long an unused connection is kept, in milliseconds. Must be less than backends keep it (Node: 5 s). */
  idleTimeout: number;
  /** How many connections there may be. */
  maxConnections: number;
  /** Told about connections that were opened, and about those that could not be. */
  onConnect?: (succeeded: boolean) => void;
}

interface Waiting {
  resolve: (connection: UpstreamConnection | undefined) => void;
}

/**
 * One address of a backend with its connections. Those that wait for their next exchange are watched: one that
 * ends or sends anything meanwhile is thrown away, for whatever it sent belongs to no request.
 */
export class Endpoint {
  /** Its address. */
  readonly address: Address;
  /** The same, for people. */
  readonly name: string;
  readonly #protocol: EndpointProtocol;
  readonly #options: EndpointOptions;
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #passedOver = new PassedOver();
  #inUse = 0;
  #isClosed = false;

  /** An endpoint without connections. */
  constructor(address: Address, protocol: EndpointProtocol, options: EndpointOptions) {
    this.address = address;
    this.name = formatAddress(address);
    this.#protocol = protocol;
    this.#options = options;
  }

  /** How many requests it has to do with now: those on a connection, and those that wait for one. */
  get load(): number {
    return this.#inUse + this.#waiting.length;
  }

  /** Could it not be reached lately? */
  get isPassedOver(): boolean {
    return this.#passedOver.isNow;
  }

  /** Is there nothing to remember of it? */
  get isForgettable(): boolean {
    return this.load === 0 && this.#idle.length === 0 && !this.isPassedOver;
  }

  /** Takes a connection that waits, the one used last, if there is one. */
  takeIdle(): UpstreamConnection | undefined {
    if (this.#inUse >= this.#options.maxConnections) return undefined;
    const connection = this.#idle.pop();
    if (connection === undefined) return undefined;
    this.#inUse++;
    connection.isIdle = false;
    return connection;
  }

  /**
   * Takes a connection: one that waits, or a new one, which may take `connectTimeout` milliseconds.
   *
   * @throws {ProxyError} when the endpoint refuses, cannot be found or takes too long, and when all its
   * connections are in use.
   */
  async take(
    { isFresh = false, connectTimeout = this.#options.connectTimeout }: {
      isFresh?: boolean;
      connectTimeout?: number | undefined;
    } = {},
  ): Promise<UpstreamConnection> {
    if (this.#inUse >= this.#options.maxConnections) {
      const connection = await this.#queue(connectTimeout);
      // its place came with it
      if (connection !== undefined && !connection.isClosed && !isFresh) return connection;
      connection?.close();
    } else {
      this.#inUse++;
    }
    const kept = isFresh ? undefined : this.#idle.pop();
    if (kept !== undefined) {
      kept.isIdle = false;
      return kept;
    }
    try {
      return await this.#connect(connectTimeout);
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Takes back a connection, to be used again or to be closed. */
  release(connection: UpstreamConnection, { isReusable }: { isReusable: boolean }): void {
    connection.deadline = Infinity;
    connection.exchanges++;
    if (
      !isReusable || this.#isClosed || connection.isClosed || connection.reader.buffered > 0 ||
      connection.reader.hasEnded
    ) {
      connection.close();
      return this.#leave();
    }
    const next = this.#waiting.shift();
    if (next !== undefined) return next.resolve(connection);
    this.#inUse--;
    connection.reader.shrink();
    this.#idle.push(connection);
    connection.wait();
  }

  /** Closes a connection that waits: it has ended, or has sent what nobody asked for. */
  drop(connection: UpstreamConnection): void {
    this.#idle.splice(this.#idle.indexOf(connection), 1);
    connection.isIdle = false;
    connection.close();
  }

  /** Closes the connections that have waited for too long. */
  sweep(): void {
    const oldest = this.#options.deadlines.now - this.#options.idleTimeout;
    const fresh = this.#idle.findIndex(({ idleSince }) => idleSince > oldest);
    for (const connection of this.#idle.splice(0, fresh === -1 ? this.#idle.length : fresh)) {
      connection.isIdle = false;
      connection.close();
    }
  }

  /** Closes all connections that wait, and from now on each one when its exchange is over. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) {
      connection.isIdle = false;
      connection.close();
    }
  }

  async #connect(connectTimeout: number): Promise<UpstreamConnection> {
    const { dial, deadlines, onConnect } = this.#options;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), connectTimeout);
    try {
      const transport = await dial(this.address, { protocol: this.#protocol, signal: deadline.signal });
      this.#passedOver.succeeded();
      onConnect?.(true);
      return new UpstreamConnection(transport, this, deadlines);
    } catch (cause) {
      this.#passedOver.failed();
      onConnect?.(false);
      throw deadline.signal.aborted
        ? new ProxyError("upstream_timeout", `${this.name}: no connection within ${connectTimeout} ms`, {
          cause,
        })
        : new ProxyError("upstream_unreachable", `${this.name}: ${errorMessage(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for a place: undefined is one without a connection. */
  async #queue(connectTimeout: number): Promise<UpstreamConnection | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamConnection | undefined>();
    const waiting = { resolve };
    this.#waiting.push(waiting);
    const timer = setTimeout(() => {
      const index = this.#waiting.indexOf(waiting);
      if (index === -1) return;
      this.#waiting.splice(index, 1);
      reject(
        new ProxyError(
          "upstream_busy",
          `${this.name}: all ${this.#options.maxConnections} connections in use`,
        ),
      );
    }, connectTimeout);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives up a place: to the one who waits longest, if anybody does. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next.resolve(undefined);
    else this.#inUse--;
  }
}
