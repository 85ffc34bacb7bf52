import { type Address, errorMessage, type Log } from "@pingress/config";
import type { Client } from "../exchange.ts";
import type { ByteReader } from "../http1/byte_reader.ts";
import { startsWithPreface } from "../http2/preface.ts";
import { type IpRanges, plainAddress } from "../ip_ranges.ts";
import { TcpTransport } from "../tcp_transport.ts";
import { Connection } from "./connection.ts";
import type { Gate } from "./gate.ts";
import { parseProxyHeader, ProxyHeaderError } from "./proxy_protocol.ts";

/** Speaks a protocol on a connection until it ends, and closes it. */
export type Serve = (connection: Connection) => Promise<void>;

/** Options of {@linkcode HttpListener}. */
export interface HttpListenerOptions {
  /** Where clients connect to. */
  address: Address;
  /** Do other listeners of this program share the address (SO_REUSEPORT)? */
  reusePort: boolean;
  /** Decides which connections may stay. */
  gate: Gate;
  /** Those that begin with a PROXY protocol header. */
  proxyProtocolFrom: IpRanges;
  /** How long a PROXY protocol header may take, and the start of the first request, in milliseconds. */
  headTimeout: number;
  /** Speaks HTTP/1.x. */
  serveHttp1: Serve;
  /** Speaks HTTP/2 with prior knowledge; without it HTTP/2 in clear is refused. */
  serveHttp2?: Serve;
  /** Told about failures to accept. */
  log: Log;
}

/** How long accepting rests after a failure, in milliseconds. */
const PAUSE_MILLISECONDS = 50;

/** The HTTP port. */
export class HttpListener {
  readonly #options: HttpListenerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #running = new Set<Promise<void>>();
  /** Connections since the start. */
  accepted = 0;

  /** Starts listening. @throws {Deno.errors.AddrInUse} and what else `Deno.listen` throws. */
  constructor(options: HttpListenerOptions) {
    this.#options = options;
    const { hostname, port } = options.address;
    this.#listener = Deno.listen({ hostname, port, ...options.reusePort && { reusePort: true } });
    this.#accept();
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener.addr;
  }

  /** Stops accepting. */
  close(): void {
    this.#listener.close();
  }

  /** Waits until all connections have ended. */
  async ended(): Promise<void> {
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
    tcp.setNoDelay(true);
    const running = this.#serve(tcp).finally(() => {
      leave();
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #serve(tcp: Deno.TcpConn): Promise<void> {
    const { gate, proxyProtocolFrom, headTimeout, serveHttp1, serveHttp2, log } = this.#options;
    const peer = plainAddress(tcp.remoteAddr.hostname);
    const connection = new Connection(new TcpTransport(tcp), { address: peer, ...PLAIN }, gate);
    let leaveClient;
    try {
      connection.wait(headTimeout);
      if (proxyProtocolFrom.has(peer)) {
        const source = await readProxyHeader(connection.reader);
        if (source !== undefined) connection.client = { address: plainAddress(source), ...PLAIN };
      }
      leaveClient = gate.admitClient(connection.client.address);
      if (leaveClient === undefined) return;
      const isHttp2 = serveHttp2 !== undefined && await startsWithPreface(connection.reader);
      await (isHttp2 ? serveHttp2 : serveHttp1)(connection);
    } catch (error) {
      // a client that goes before it has asked anything is no news
      if (error instanceof ProxyHeaderError) log.debug(error.message, { peer });
    } finally {
      leaveClient?.();
      connection.close();
    }
  }
}

const PLAIN: Pick<Client, "scheme" | "covers"> = { scheme: "http", covers: () => true };

/** Takes a PROXY protocol header. @returns the client's address, if it says one. */
async function readProxyHeader(reader: ByteReader): Promise<string | undefined> {
  for (;;) {
    const header = reader.buffered === 0 ? undefined : parseProxyHeader(reader.peek());
    if (header !== undefined) {
      reader.skip(header.length);
      return header.source;
    }
    if (!await reader.fill()) {
      throw new ProxyHeaderError("The connection ended within the PROXY protocol header");
    }
  }
}
