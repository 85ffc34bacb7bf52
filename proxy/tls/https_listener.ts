import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, type TLSSocket } from "node:tls";
import { type Address, canonicalHost, type CheckedKeyPair, errorMessage, type Log } from "@pingress/config";
import { Connection } from "../accept/connection.ts";
import type { Gate } from "../accept/gate.ts";
import type { Serve } from "../accept/http_listener.ts";
import { parseProxyHeader } from "../accept/proxy_protocol.ts";
import type { Client } from "../exchange.ts";
import { type IpRanges, plainAddress } from "../ip_ranges.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { type ClientHello, MAX_CLIENT_HELLO_BYTES, parseClientHello } from "./client_hello.ts";
import { startTls, StreamTransport } from "./stream_transport.ts";

/** Options of {@linkcode HttpsListener}. */
export interface HttpsListenerOptions {
  /** Where clients connect to. */
  address: Address;
  /** Do other listeners of this program share the address (SO_REUSEPORT)? */
  reusePort: boolean;
  /** Decides which connections may stay. */
  gate: Gate;
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
  /** Told about handshakes that fail. */
  log: Log;
}

/** The fatal alert unrecognized_name (RFC 6066, section 3; RFC 8446, section 6). */
const UNRECOGNIZED_NAME = new Uint8Array([21, 3, 3, 0, 2, 2, 112]);

/** How many connections may wait to be accepted: a burst of clients comes at once. */
const BACKLOG = 4096;

/** A handshake that has succeeded. */
interface Secured {
  socket: TLSSocket;
  hello: ClientHello;
  pair: CheckedKeyPair;
  peer: string;
}

/**
 * The HTTPS port: reads which name a client asks for, ends TLS with the certificate of this name, and hands
 * what is inside to the protocol that was agreed on.
 */
export class HttpsListener {
  readonly #options: HttpsListenerOptions;
  readonly #server: Server;
  readonly #contexts = new WeakMap<CheckedKeyPair, SecureContext>();
  readonly #running = new Set<Promise<void>>();
  /** Connections since the start. */
  accepted = 0;
  /** Handshakes that succeeded. */
  handshakes = 0;
  /** Handshakes that failed. */
  failures = 0;

  private constructor(options: HttpsListenerOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    server.on("connection", (socket) => this.#take(socket));
    server.on(
      "error",
      (error) => options.log.warn("A connection could not be accepted", { error: error.message }),
    );
  }

  /** Starts listening. @throws {Error} of Node's when the address cannot be listened on. */
  static async listen(options: HttpsListenerOptions): Promise<HttpsListener> {
    const { hostname, port } = options.address;
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen({ host: hostname, port, backlog: BACKLOG, reusePort: options.reusePort }, resolve);
    await promise;
    server.removeListener("error", reject);
    return new HttpsListener(options, server);
  }

  /** Where it listens. */
  get address(): Address {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The server does not listen");
    return { hostname: address.address, port: address.port };
  }

  /** Stops accepting. */
  close(): void {
    this.#server.close();
  }

  /** Waits until all connections have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  #take(socket: Socket): void {
    this.accepted++;
    const leave = this.#options.gate.admit();
    if (leave === undefined) return void socket.destroy();
    const running = this.#serve(socket).finally(() => {
      leave();
      this.#running.delete(running);
    });
    this.#running.add(running);
  }

  async #serve(socket: Socket): Promise<void> {
    const { gate, serveHttp1, serveHttp2, log } = this.#options;
    let secured;
    try {
      secured = await this.#handshake(socket);
      this.handshakes++;
    } catch (error) {
      this.failures++;
      log.debug("A TLS connection failed", { client: socket.remoteAddress, error: errorMessage(error) });
      return void socket.destroy();
    }
    const client = this.#clientOf(secured);
    const connection = new Connection(new StreamTransport(secured.socket, socket), client, gate);
    const leaveClient = gate.admitClient(client.address);
    try {
      if (leaveClient === undefined) return;
      await (secured.socket.alpnProtocol === "h2" ? serveHttp2 : serveHttp1)(connection);
    } catch (error) {
      log.error("A connection failed in the proxy itself", { error: errorMessage(error) });
    } finally {
      leaveClient?.();
      connection.close();
    }
  }

  #clientOf({ hello: { serverName }, pair, peer }: Secured): Client {
    const host = serverName === undefined ? undefined : canonicalHost(serverName);
    const { certificates } = this.#options;
    return {
      address: peer,
      scheme: "https",
      covers: (name) => name === host || certificates().find(name) === pair || covers(pair.names, name),
    };
  }

  #handshake(socket: Socket): Promise<Secured> {
    const { gate, handshakeTimeout, certificates, proxyProtocolFrom } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Secured>();
    const timer = setTimeout(() => reject(new Error("The handshake took too long")), handshakeTimeout);
    const waitingSince = gate.deadlines.now;
    const handshake = {
      isWaiting: true,
      waitingSince,
      close: () => reject(new Error("The handshake was given up")),
    };
    gate.connections.add(handshake);
    let peer = plainAddress(socket.remoteAddress ?? "");
    let expectsProxyHeader = proxyProtocolFrom.has(peer);
    let bytes: Uint8Array = new Uint8Array(0);
    // these stay: without a listener an error would end the program
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("The connection was closed within the handshake")));
    let hasBegun = false;
    // with TLS begun, its end may come before its last bytes have been looked at
    socket.on("end", () => hasBegun || reject(new Error("The connection ended within the ClientHello")));

    const read = () => {
      for (let chunk; (chunk = socket.read() as Uint8Array | null) !== null;) bytes = joined(bytes, chunk);
      if (expectsProxyHeader) {
        const header = bytes.length === 0 ? undefined : parseProxyHeader(bytes);
        if (header === undefined) return;
        expectsProxyHeader = false;
        peer = plainAddress(header.source ?? peer);
        bytes = bytes.subarray(header.length);
      }
      const hello = parseClientHello(bytes);
      if (hello !== undefined) return begin(hello);
      if (bytes.length > MAX_CLIENT_HELLO_BYTES) throw new Error("The ClientHello is too long");
    };

    const begin = (hello: ClientHello) => {
      socket.removeListener("readable", onReadable);
      const pair = certificates().find(hello.serverName);
      if (pair === undefined) {
        const refused = new Error(`No certificate for ${hello.serverName ?? "a client that names no host"}`);
        return void socket.end(UNRECOGNIZED_NAME, () => reject(refused));
      }
      hasBegun = true;
      socket.unshift(bytes);
      const secured = startTls(socket, {
        secureContext: this.#contextOf(pair),
        ALPNProtocols: ["h2", "http/1.1"],
      });
      secured.on("error", reject);
      secured.once("secure", () => resolve({ socket: secured, hello, pair, peer }));
    };

    const onReadable = () => {
      try {
        read();
      } catch (error) {
        reject(error);
      }
    };
    socket.on("readable", onReadable);
    return promise.finally(() => {
      clearTimeout(timer);
      gate.connections.delete(handshake);
    });
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

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Is a host among a certificate's names (RFC 6125, section 6.4)? */
function covers(names: readonly string[], host: string): boolean {
  const dot = host.indexOf(".");
  return names.includes(host) || (dot > 0 && names.includes(`*${host.slice(dot)}`));
}
