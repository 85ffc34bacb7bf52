import { createSecureContext, type SecureContext } from "node:tls";
import { canonicalHost, type CheckedKeyPair, errorMessage } from "@pingress/config";
import { Connection } from "../accept/connection.ts";
import type { Serve } from "../accept/http_listener.ts";
import { readProxyHeader } from "../accept/proxy_protocol.ts";
import { TcpListener, type TcpListenerOptions } from "../accept/tcp_listener.ts";
import type { Client } from "../exchange.ts";
import type { ByteReader } from "../http1/byte_reader.ts";
import { type IpRanges, plainAddress } from "../ip_ranges.ts";
import { TcpTransport } from "../tcp_transport.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { type ClientHello, MAX_CLIENT_HELLO_BYTES, parseClientHello } from "./client_hello.ts";
import { acceptTls, type Secured } from "./tls_transport.ts";

/** Options of {@linkcode HttpsListener}. */
export interface HttpsListenerOptions extends TcpListenerOptions {
  /** Those that begin with a PROXY protocol header. */
  proxyProtocolFrom: IpRanges;
  /** How long a handshake may take, in milliseconds. */
  handshakeTimeout: number;
  /** The certificates of this moment. */
  certificates: () => CertificateStore;
  /** Speaks HTTP/1.x. */
  serveHttp1: Serve;
  /** Speaks HTTP/2. */
  serveHttp2: Serve;
}

/** The fatal alert unrecognized_name (RFC 6066, section 3; RFC 8446, section 6). */
const UNRECOGNIZED_NAME = new Uint8Array([21, 3, 3, 0, 2, 2, 112]);

/** What a handshake leads to. It holds nothing of the handshake: connections are many, and most of them wait. */
interface Inside {
  connection: Connection;
  protocol: string | undefined;
}

/** What is known of a client before it has said which protocol it speaks. */
const UNKNOWN: Pick<Client, "scheme" | "covers"> = { scheme: "https", covers: () => false };

/**
 * The HTTPS port: reads which name a client asks for, ends TLS with the certificate of this name, and hands
 * what is inside to the protocol that was agreed on.
 */
export class HttpsListener extends TcpListener {
  readonly #options: HttpsListenerOptions;
  readonly #contexts = new WeakMap<CheckedKeyPair, SecureContext>();
  /** Handshakes that succeeded. */
  handshakes = 0;
  /** Handshakes that failed. */
  failures = 0;

  /** Starts listening. @throws {Deno.errors.AddrInUse} and what else `Deno.listen` throws. */
  constructor(options: HttpsListenerOptions) {
    super(options, (tcp) => this.#serve(tcp));
    this.#options = options;
  }

  async #serve(tcp: Deno.TcpConn): Promise<void> {
    const inside = await this.#begin(tcp);
    if (inside !== undefined) await this.#serveInside(inside);
  }

  /** Does the handshake. @returns nothing when it fails. */
  async #begin(tcp: Deno.TcpConn): Promise<Inside | undefined> {
    const { gate, handshakeTimeout, log } = this.#options;
    const transport = new TcpTransport(tcp);
    const peer = plainAddress(tcp.remoteAddr.hostname);
    const connection = new Connection(transport, { address: peer, ...UNKNOWN }, gate);
    let isLate = false;
    connection.onExpire = () => {
      isLate = true;
      connection.close();
    };
    connection.wait(handshakeTimeout);
    try {
      const { secured, client } = await this.#handshake(connection, transport);
      this.handshakes++;
      connection.leave();
      return { connection: new Connection(secured.transport, client, gate), protocol: secured.protocol };
    } catch (error) {
      this.failures++;
      const message = isLate
        ? "The handshake took too long"
        : connection.isClosed
        ? "The handshake was given up"
        : errorMessage(error);
      log.debug("A TLS connection failed", { client: peer, error: message });
      connection.close();
      return undefined;
    }
  }

  async #handshake(
    connection: Connection,
    transport: TcpTransport,
  ): Promise<{ secured: Secured; client: Client }> {
    const { proxyProtocolFrom, certificates } = this.#options;
    const { reader } = connection;
    let { address } = connection.client;
    if (proxyProtocolFrom.has(address)) address = plainAddress(await readProxyHeader(reader) ?? address);
    const hello = await readClientHello(reader);
    const pair = certificates().find(hello.serverName);
    if (pair === undefined) {
      await connection.tell(UNRECOGNIZED_NAME);
      throw new Error(`No certificate for ${hello.serverName ?? "a client that names no host"}`);
    }
    const secured = await acceptTls(transport, {
      secureContext: this.#contextOf(pair),
      protocols: ["h2", "http/1.1"],
      first: reader.take(Infinity),
    });
    return { secured, client: this.#clientOf(address, hello, pair) };
  }

  async #serveInside({ connection, protocol }: Inside): Promise<void> {
    const { gate, serveHttp1, serveHttp2, log } = this.#options;
    const leaveClient = gate.admitClient(connection.client.address);
    try {
      if (leaveClient !== undefined) await (protocol === "h2" ? serveHttp2 : serveHttp1)(connection);
    } catch (error) {
      log.error("A connection failed in the proxy itself", { error: errorMessage(error) });
    } finally {
      leaveClient?.();
      connection.close();
    }
  }

  #clientOf(address: string, { serverName }: ClientHello, pair: CheckedKeyPair): Client {
    const host = serverName === undefined ? undefined : canonicalHost(serverName);
    const { certificates } = this.#options;
    return {
      address,
      scheme: "https",
      serverName: host,
      covers: (name) => name === host || certificates().find(name) === pair || covers(pair.names, name),
    };
  }

  #contextOf(pair: CheckedKeyPair): SecureContext {
    let context = this.#contexts.get(pair);
    if (context === undefined) {
      const { cert, key } = pair;
      this.#contexts.set(pair, context = createSecureContext({ cert, key, minVersion: "TLSv1.2" }));
    }
    return context;
  }
}

/** Reads a ClientHello, which is left where it is. @throws {Error} when there is none. */
async function readClientHello(reader: ByteReader): Promise<ClientHello> {
  for (;;) {
    const hello = parseClientHello(reader.peek());
    if (hello !== undefined) return hello;
    if (reader.buffered > MAX_CLIENT_HELLO_BYTES) throw new Error("The ClientHello is too long");
    if (!await reader.fill()) throw new Error("The connection ended within the ClientHello");
  }
}

/** Is a host among a certificate's names (RFC 6125, section 6.4)? */
function covers(names: readonly string[], host: string): boolean {
  const dot = host.indexOf(".");
  return names.includes(host) || (dot > 0 && names.includes(`*${host.slice(dot)}`));
}
