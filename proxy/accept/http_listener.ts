import type { Client } from "../exchange.ts";
import { startsWithPreface } from "../http2/preface.ts";
import { type IpRanges, plainAddress } from "../ip_ranges.ts";
import { TcpTransport } from "../tcp_transport.ts";
import { Connection } from "./connection.ts";
import { ProxyHeaderError, readProxyHeader } from "./proxy_protocol.ts";
import { TcpListener, type TcpListenerOptions } from "./tcp_listener.ts";

/** Speaks a protocol on a connection until it ends, and closes it. */
export type Serve = (connection: Connection) => Promise<void>;

/** Options of {@linkcode HttpListener}. */
export interface HttpListenerOptions extends TcpListenerOptions {
  /** Those that begin with a PROXY protocol header. */
  proxyProtocolFrom: IpRanges;
  /** How long a PROXY protocol header may take, and the start of the first request, in milliseconds. */
  headTimeout: number;
  /** Speaks HTTP/1.x. */
  serveHttp1: Serve;
  /** Speaks HTTP/2 with prior knowledge; without it HTTP/2 in clear is refused. */
  serveHttp2?: Serve;
}

/** The HTTP port. */
export class HttpListener extends TcpListener {
  readonly #options: HttpListenerOptions;

  /** Starts listening. @throws {Deno.errors.AddrInUse} and what else `Deno.listen` throws. */
  constructor(options: HttpListenerOptions) {
    super(options, (tcp) => this.#serve(tcp));
    this.#options = options;
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
