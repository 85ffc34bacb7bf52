import type { Log } from "@pingress/config";
import type { Connection } from "../accept/connection.ts";
import type { Deadlines } from "../deadlines.ts";
import type { Client, Handler } from "../exchange.ts";
import { TcpTransport } from "../tcp_transport.ts";
import { type Transport, writeAll } from "../transport.ts";
import { denoHandler, type Http2Client } from "./deno_server.ts";
import { NodeServer } from "./node_server.ts";
import { startsWithPreface } from "./preface.ts";

const BUFFER_BYTES = 32 * 1024;

/** How long a client may take to go once it has been told to, and has no request, in milliseconds. */
const GOODBYE_MILLISECONDS = 5000;

/** Options of {@linkcode Http2Server}. */
export interface Http2Options {
  /** Answers the requests. */
  handler: Handler;
  /** Looks after the deadlines of answers. */
  deadlines: Deadlines;
  /** How long a connection may take to begin, in milliseconds. */
  headTimeout: number;
  /** How long it may be without a request, in milliseconds. */
  idleTimeout: number;
  /** How long a client may neither send nor take anything in the middle of an exchange, in milliseconds. */
  clientTimeout: number;
  /** How long a client may take to go when the server stops, in milliseconds; 5 seconds unless told. */
  goodbyeTimeout?: number;
  /** Do this client's requests need what gRPC needs? Nobody's do unless told. */
  needsTrailers?: (client: Client) => boolean;
  /** Told when an answer cannot be written. */
  log: Log;
}

/**
 * Speaks HTTP/2: passes a connection's bytes to a `Deno.serve` on loopback, which speaks it to the letter. Who
 * is behind a loopback connection is known by its port; nobody else is served. It knows no trailers: where they
 * are needed Node speaks it instead, at three times the cost.
 */
export class Http2Server {
  readonly #options: Http2Options;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #nodeServer: NodeServer;
  readonly #streams = new Set<Streams>();
  readonly #clients = new Map<number, Streams>();

  /** Starts the server. */
  constructor(options: Http2Options) {
    this.#options = options;
    this.#nodeServer = new NodeServer(options);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      denoHandler({
        ...options,
        ownAuthorities: () => ["127.0.0.1", "localhost"].map((host) => `${host}:${this.#server.addr.port}`),
        client: ({ port }) => this.#clients.get(port),
      }),
    );
  }

  /** Speaks HTTP/2 on a connection until it ends, and closes it. */
  async serve(connection: Connection): Promise<void> {
    const { headTimeout, needsTrailers } = this.#options;
    let streams: Streams | undefined;
    try {
      connection.onExpire = () => connection.close();
      connection.wait(headTimeout);
      // the server behind it speaks HTTP/1.1 too, but not by our rules
      if (!await startsWithPreface(connection.reader)) return;
      streams = new Streams(connection, this.#options);
      this.#streams.add(streams);
      connection.saysGoodbye = true;
      await (needsTrailers?.(connection.client)
        ? this.#nodeServer.serve(connection, streams)
        : this.#splice(connection, streams));
    } catch {
      // either side broke off
    } finally {
      connection.close();
      if (streams !== undefined) this.#streams.delete(streams);
    }
  }

  /**
   * Tells clients to begin no more requests, lets those finish that they have begun, and waits. What a client
   * sends before it knows counts too: it is told once more when it has answered the first time (RFC 9113,
   * section 6.8). One that does not answer is not waited for.
   */
  async shutdown(): Promise<void> {
    for (const streams of this.#streams) streams.sayGoodbye();
    this.#nodeServer.sayGoodbye();
    await this.#server.shutdown();
  }

  async #splice(connection: Connection, streams: Streams): Promise<void> {
    const { hostname, port } = this.#server.addr;
    const tcp = await Deno.connect({ hostname, port });
    const inner = new TcpTransport(tcp);
    this.#clients.set(tcp.localAddr.port, streams);
    try {
      await splice(connection, inner, streams);
    } finally {
      inner.close();
      this.#clients.delete(tcp.localAddr.port);
    }
  }
}

/** The requests of one connection: without any it may wait only so long. */
class Streams implements Http2Client {
  readonly #connection: Connection;
  readonly #options: Http2Options;
  #running = 0;
  #idleDeadline = Infinity;
  #idleTimeout: number;

  constructor(connection: Connection, options: Http2Options) {
    this.#connection = connection;
    this.#options = options;
    this.#idleTimeout = options.idleTimeout;
    this.#wait();
  }

  get client() {
    return this.#connection.client;
  }

  get clientTimeout(): number {
    return this.#options.clientTimeout;
  }

  began(): void {
    if (this.#running++ > 0) return;
    this.#idleDeadline = Infinity;
    this.#connection.deadline = Infinity;
    this.#connection.isWaiting = false;
  }

  ended({ isUseless }: { isUseless: boolean }): void {
    if (--this.#running > 0) return;
    // a client that still has other requests gets their answers
    if (isUseless) this.#connection.close();
    else this.#wait();
  }

  /** Something was written, which has a deadline of its own. What is not a request extends no other. */
  wrote(): void {
    this.#connection.deadline = this.#idleDeadline;
  }

  /** Without a request it is not waited for much longer. */
  sayGoodbye(): void {
    this.#idleTimeout = Math.min(this.#idleTimeout, this.#options.goodbyeTimeout ?? GOODBYE_MILLISECONDS);
    if (this.#running === 0) this.#wait();
  }

  #wait(): void {
    this.#connection.wait(this.#idleTimeout);
    this.#idleDeadline = this.#connection.deadline;
  }
}

async function splice(connection: Connection, inner: Transport, streams: Streams): Promise<void> {
  async function upward(): Promise<void> {
    const { reader } = connection;
    while (reader.buffered > 0 || await reader.fill()) await writeAll(inner, reader.take(Infinity));
    await inner.closeWrite();
  }
  async function downward(): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (let count; (count = await inner.read(buffer)) !== null;) {
      await connection.write(buffer.subarray(0, count), streams.clientTimeout);
      streams.wrote();
    }
    await connection.closeWrite();
  }
  upward().catch(() => inner.close());
  // the server has said all that it has to say: what the client still sends goes nowhere
  await downward();
}
