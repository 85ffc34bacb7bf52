/**
 * Both ends of connections: raw clients, and backends that follow a script.
 *
 * @module
 */
import {
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { type Address, formatAddress } from "@pingress/config";
import { bytesOf, latin1, within } from "./testing.ts";

/** An HTTP/1.1 message as it came over the wire. */
export interface WireMessage {
  /** The request line or status line. */
  start: string;
  /** The header lines, names in lower case. */
  headers: [name: string, value: string][];
  /** The content, without its framing. */
  body: string;
}

/** The values of a header, as a list. */
export function valuesOf(message: WireMessage, name: string): string[] {
  return message.headers.filter((field) => field[0] === name).map((field) => field[1]);
}

/** One end of a TCP connection on which a test writes and reads bytes: a raw client, or a raw backend. */
export class Peer implements Disposable {
  readonly #connection: Deno.Conn;
  #buffer = "";

  /** Takes over an open connection. */
  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Connects to an address. */
  static async connect({ hostname, port }: Address): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname, port }));
  }

  /** Where the other side is. */
  get remoteAddress(): Deno.NetAddr {
    return this.#connection.remoteAddr as Deno.NetAddr;
  }

  /** Sends a text of characters up to U+00FF. */
  async write(text: string): Promise<void> {
    const bytes = bytesOf(text);
    for (let written = 0; written < bytes.length;) {
      written += await this.#connection.write(bytes.subarray(written));
    }
  }

  /** Reads up to and with `end`. */
  async readUntil(end: string): Promise<string> {
    while (!this.#buffer.includes(end)) {
      if (!await this.#fill()) throw new Error(`Ended with ${JSON.stringify(this.#buffer)} before ${end}`);
    }
    return this.#take(this.#buffer.indexOf(end) + end.length);
  }

  /** Reads as many bytes. */
  async read(count: number): Promise<string> {
    while (this.#buffer.length < count) {
      if (!await this.#fill()) throw new Error(`Ended after ${this.#buffer.length} of ${count} bytes`);
    }
    return this.#take(count);
  }

  /** Reads to the end; a connection that was reset has ended too. */
  async readToEnd(): Promise<string> {
    while (await this.#fill().catch(() => false));
    return this.#take(this.#buffer.length);
  }

  /** Reads a message with its content. A response to HEAD has none, whatever its head says. */
  async readMessage({ isHead = false } = {}): Promise<WireMessage> {
    const [start = "", ...lines] = (await this.readUntil("\r\n\r\n")).slice(0, -4).split("\r\n");
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    });
    const message = { start, headers, body: "" };
    const [length] = valuesOf(message, "content-length");
    if (isHead || / (?:204|304) /.test(start)) return message;
    if (length !== undefined) message.body = await this.read(Number(length));
    else if (valuesOf(message, "transfer-encoding").length > 0) message.body = await this.#readChunks();
    return message;
  }

  /** Sends a request and reads its answer. */
  async exchange(request: string): Promise<WireMessage> {
    await this.write(request);
    return await this.readMessage({ isHead: request.startsWith("HEAD ") });
  }

  /** Says that nothing more is sent. */
  async closeWrite(): Promise<void> {
    await (this.#connection as Deno.TcpConn).closeWrite();
  }

  /** Closes the connection, once. */
  [Symbol.dispose](): void {
    closeOnce(this.#connection);
  }

  async #readChunks(): Promise<string> {
    let content = "";
    for (;;) {
      const size = parseInt(await this.readUntil("\r\n"), 16);
      const chunk = await this.read(size + 2);
      if (!chunk.endsWith("\r\n")) throw new Error(`A chunk of ${size} bytes without its end`);
      if (size === 0) return content;
      content += chunk.slice(0, -2);
    }
  }

  async #fill(): Promise<boolean> {
    const bytes = new Uint8Array(64 * 1024);
    const count = await within(this.#connection.read(bytes), "bytes");
    if (count === null) return false;
    this.#buffer += latin1(bytes.subarray(0, count));
    return true;
  }

  #take(count: number): string {
    const text = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.slice(count);
    return text;
  }
}

/** A server on a free port that does with each connection what a script says. */
export class RawServer implements Disposable {
  /** Where it listens. */
  readonly address: Address;
  /** The same as `endpoints.json` spells it. */
  readonly endpoint: string;
  /** How many connections there were. */
  connections = 0;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #peers = new Set<Peer>();
  readonly #first = Promise.withResolvers<void>();

  /** The script gets each connection with its number, from 1 on; with its end the connection is closed. */
  constructor(script: (peer: Peer, number: number) => Promise<void>) {
    this.address = this.#listener.addr;
    this.endpoint = formatAddress(this.address);
    this.#accept(script);
  }

  /** Waits until there has been a connection. */
  async connected(): Promise<void> {
    await within(this.#first.promise, "a connection");
  }

  /** Closes it with all its connections, once. */
  [Symbol.dispose](): void {
    closeOnce(this.#listener);
    for (const peer of this.#peers) peer[Symbol.dispose]();
  }

  async #accept(script: (peer: Peer, number: number) => Promise<void>): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        const peer = new Peer(connection);
        this.#peers.add(peer);
        // a script that fails closes its connection: its test sees that
        script(peer, ++this.connections).catch(() => {}).finally(() => peer[Symbol.dispose]());
        this.#first.resolve();
      }
    } catch {
      // a connection was reset before it was accepted
    }
  }
}

/** A backend that answers one request after the other, and remembers them. */
export class Backend extends RawServer {
  /** What it was sent. */
  readonly requests: WireMessage[] = [];

  /** Answers each request with a text, or with what a function makes of it. */
  constructor(answer: string | ((request: WireMessage) => string)) {
    super(async (peer) => {
      for (;;) {
        const request = await peer.readMessage();
        this.requests.push(request);
        await peer.write(typeof answer === "string" ? answer : answer(request));
      }
    });
  }
}

/** A backend that speaks HTTP/2, and does with each stream and connection what a test says. */
export class Http2Backend implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Address;
  /** The same as `endpoints.json` spells it. */
  readonly endpoint: string;
  readonly #server: Http2Server;
  readonly #sessions: ReadonlySet<ServerHttp2Session>;

  private constructor(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>) {
    const { port } = server.address() as AddressInfo;
    this.address = { hostname: "127.0.0.1", port };
    this.endpoint = formatAddress(this.address);
    this.#server = server;
    this.#sessions = sessions;
  }

  /** Starts one. */
  static async start(
    onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
    settings: Settings = {},
  ): Promise<Http2Backend> {
    const server = createServer({ settings });
    const sessions = new Set<ServerHttp2Session>();
    server.on("session", (session) => {
      sessions.add(session);
      session.on("error", () => {});
    });
    server.on("stream", (stream: ServerHttp2Stream) => {
      stream.on("error", () => {});
      onStream(stream, stream.session as ServerHttp2Session);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Http2Backend(server, sessions);
  }

  /** Closes it with all its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** A response with content. */
export function ok(content: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${content.length}\r\n\r\n${content}`;
}

function closeOnce(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/** Options of {@linkcode connectTls}. */
export interface TlsClientOptions {
  /** The name that is asked for; none unless told. */
  servername?: string;
  /** What the client trusts, PEM; everything unless told. */
  ca?: string;
  /** The protocols that it offers. */
  protocols?: string[];
  /** The one version of TLS that it speaks; all unless told. */
  version?: "TLSv1.2" | "TLSv1.3";
}

/** Opens a TLS connection with Node's client, which shows what the server sent. Rejects when the handshake fails. */
export async function connectTls(
  { hostname, port }: Address,
  { servername, ca, protocols = ["http/1.1"], version }: TlsClientOptions = {},
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({
    host: hostname,
    port,
    ALPNProtocols: protocols,
    rejectUnauthorized: ca !== undefined,
    ...servername !== undefined && { servername },
    ...ca !== undefined && { ca },
    ...version !== undefined && { minVersion: version, maxVersion: version },
  }, resolve);
  socket.on("error", reject);
  try {
    await within(promise, "a TLS handshake");
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
