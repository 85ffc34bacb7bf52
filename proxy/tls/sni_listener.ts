import { type Address, errorMessage, formatAddress, type KeyPair, type Log } from "@pingress/config";
import { clientAddress, type ClientInfo } from "../deno_server.ts";
import type { CertificateStore } from "./certificate_store.ts";
import { type ClientHello, MAX_CLIENT_HELLO_BYTES, parseClientHello } from "./client_hello.ts";
import { closeOnce, splice } from "./splice.ts";

/** A running server for one certificate. */
export interface CertificateServer {
  /** Where it listens, on loopback. */
  readonly port: number;
  /** Stops accepting and waits for what runs. */
  shutdown(): Promise<void>;
}

/** Options of {@linkcode SniListener}. */
export interface SniListenerOptions {
  /** Where clients connect to. */
  address: Address;
  /** The certificates of this moment. */
  certificates: () => CertificateStore;
  /** Starts the server for one certificate; `client` tells it who is behind a connection. */
  serve: (pair: KeyPair, client: (remote: Deno.NetAddr) => ClientInfo) => CertificateServer;
  /** How long a client may take for its ClientHello, in milliseconds. */
  helloTimeout?: number;
  /** How long a server without connections is kept, in milliseconds. */
  idleTimeout?: number;
  /** Told about handshakes that are refused. */
  log: Log;
}

/** The fatal alert unrecognized_name (RFC 6066, section 3; RFC 8446, section 6). */
const UNRECOGNIZED_NAME = new Uint8Array([21, 3, 3, 0, 2, 2, 112]);

interface Backend {
  server: CertificateServer;
  /** Who is behind each connection, by its port on this side: only to one server a port is used once at a time. */
  clients: Map<number, ClientInfo>;
  connections: number;
  idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** Its certificate is no longer configured: it stops with its last connection. */
  isRetired: boolean;
}

/**
 * The HTTPS port: reads which name a client asks for, and splices its connection to the server that has the
 * certificate of this name. There is one server for each certificate; it is started when it is first needed
 * and stopped when it has no connection for a while, or when its certificate is no longer configured.
 */
export class SniListener {
  readonly #options: SniListenerOptions;
  readonly #listener: Deno.TcpListener;
  readonly #backends = new Map<KeyPair, Backend>();
  readonly #greeting = new Set<Deno.TcpConn>();
  readonly #running = new Set<Promise<void>>();
  readonly #stopping = new Set<Promise<void>>();

  /** Starts listening. @throws {Deno.errors.AddrInUse} and what else `Deno.listen` throws. */
  constructor(options: SniListenerOptions) {
    this.#options = options;
    this.#listener = Deno.listen({ hostname: options.address.hostname, port: options.address.port });
    this.#accept();
  }

  /** Where it listens. */
  get address(): Address {
    return this.#listener.addr;
  }

  /** Retires the servers of certificates that are no longer configured; open connections stay. */
  certificatesChanged(): void {
    const current = this.#options.certificates().pairs();
    for (const [pair, backend] of this.#backends) {
      backend.isRetired = !current.has(pair);
      if (backend.isRetired && backend.connections === 0) this.#stop(pair, backend);
    }
  }

  /** Stops accepting and waits for what runs. */
  async shutdown(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#greeting) connection.close();
    for (const [pair, backend] of this.#backends) this.#stop(pair, backend);
    await Promise.allSettled([...this.#stopping, ...this.#running]);
  }

  async #accept(): Promise<void> {
    for (;;) {
      let connection;
      try {
        connection = await this.#listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        // out of descriptors, or the client was gone before it was accepted: the next one may do better
        this.#options.log.warn("A connection could not be accepted", { error: errorMessage(error) });
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      const running = this.#serve(connection).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const client = clientAddress(connection.remoteAddr);
    try {
      const { hello, bytes } = await this.#readClientHello(connection);
      const pair = this.#options.certificates().find(hello.serverName);
      if (pair === undefined) {
        this.#options.log.debug("No certificate for this name", { client, name: hello.serverName });
        await connection.write(UNRECOGNIZED_NAME);
        return;
      }
      const info = { address: client, mayUseHttp2: hello.protocols.includes("h2") };
      await this.#spliceToServer(connection, { pair, info, bytes });
    } catch (error) {
      this.#options.log.debug("A TLS connection failed", { client, error: errorMessage(error) });
    } finally {
      closeOnce(connection);
    }
  }

  async #readClientHello(
    connection: Deno.TcpConn,
  ): Promise<{ hello: ClientHello; bytes: Uint8Array<ArrayBuffer> }> {
    const timer = setTimeout(() => closeOnce(connection), this.#options.helloTimeout ?? 10_000);
    this.#greeting.add(connection);
    try {
      let buffer = new Uint8Array(2048);
      for (let length = 0;;) {
        const count = await connection.read(buffer.subarray(length));
        if (count === null) throw new Error("The connection ended within the ClientHello");
        length += count;
        const bytes = buffer.subarray(0, length);
        const hello = parseClientHello(bytes);
        if (hello !== undefined) return { hello, bytes };
        if (length > MAX_CLIENT_HELLO_BYTES) throw new Error("The ClientHello is too long");
        if (length === buffer.length) {
          buffer = new Uint8Array(length * 2);
          buffer.set(bytes);
        }
      }
    } finally {
      clearTimeout(timer);
      this.#greeting.delete(connection);
    }
  }

  async #spliceToServer(
    connection: Deno.TcpConn,
    { pair, info, bytes }: { pair: KeyPair; info: ClientInfo; bytes: Uint8Array<ArrayBuffer> },
  ): Promise<void> {
    const backend = this.#backendFor(pair);
    backend.connections++;
    clearTimeout(backend.idleTimer);
    try {
      const inner = await Deno.connect({ hostname: "127.0.0.1", port: backend.server.port });
      const { port } = inner.localAddr;
      backend.clients.set(port, info);
      try {
        await splice(connection, inner, bytes);
      } finally {
        closeOnce(inner);
        backend.clients.delete(port);
      }
    } finally {
      if (--backend.connections === 0) this.#stopWhenIdle(pair, backend);
    }
  }

  #backendFor(pair: KeyPair): Backend {
    let backend = this.#backends.get(pair);
    if (backend === undefined) {
      const clients = new Map<number, ClientInfo>();
      const server = this.#options.serve(
        pair,
        (remote) => clients.get(remote.port) ?? { address: remote.hostname, mayUseHttp2: false },
      );
      backend = { server, clients, connections: 0, idleTimer: undefined, isRetired: false };
      this.#backends.set(pair, backend);
    }
    return backend;
  }

  #stopWhenIdle(pair: KeyPair, backend: Backend): void {
    if (this.#backends.get(pair) !== backend) return;
    if (backend.isRetired) return this.#stop(pair, backend);
    backend.idleTimer = setTimeout(() => this.#stop(pair, backend), this.#options.idleTimeout ?? 60_000);
  }

  #stop(pair: KeyPair, backend: Backend): void {
    if (this.#backends.get(pair) !== backend) return;
    this.#backends.delete(pair);
    clearTimeout(backend.idleTimer);
    const stopping = backend.server.shutdown()
      .catch((error) => this.#options.log.warn("A TLS server did not stop", { error: errorMessage(error) }))
      .finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }
}

/** The message of a failure to listen that tells the user what to do. */
export function listenErrorMessage(error: unknown, address: Address): string {
  const place = formatAddress(address);
  if (error instanceof Deno.errors.AddrInUse) {
    return `Cannot listen on ${place}: another program does. Stop it or choose another address`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `Cannot listen on ${place}: ports below 1024 need privileges. Choose another address, or give them`;
  }
  return `Cannot listen on ${place}: ${errorMessage(error)}`;
}
