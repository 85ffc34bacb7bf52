/**
 * What tests share: directories that go away, a log that can be waited for, byte streams that follow a script,
 * and a running proxy.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { connect, type TLSSocket } from "node:tls";
import { type Address, createLog, type EndpointsFile, formatAddress, type Log } from "@pingress/config";
import type { Deadlines } from "../proxy/deadlines.ts";
import type { Content, HeaderList, Piece } from "../proxy/exchange.ts";
import { Fields } from "../proxy/http1/fields.ts";
import { Proxy, type ProxyOptions } from "../proxy/proxy.ts";
import type { ServerOptions } from "../proxy/server.ts";

/** How long a test waits for what should happen at once, in milliseconds. */
const PATIENCE = 10_000;

/** Waits for a promise, but not for ever. */
export async function within<T>(promise: Promise<T>, what: string, milliseconds = PATIENCE): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}`)), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets everything run that waits for nothing from outside. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Waits until the deadlines have been looked at. */
export async function lookedAt(deadlines: Deadlines): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const expiring = { deadline: 0, expire: resolve };
  deadlines.add(expiring);
  await within(promise, "a look at the deadlines");
  deadlines.delete(expiring);
}

/** Bytes as a string of as many characters. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** A string of characters up to U+00FF as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Header fields as they are received: `lines` have a line end each. */
export function fieldsOf(lines: string): Fields {
  return Fields.parse(bytesOf(`${lines}\r\n`), { start: 0, end: lines.length });
}

/** The same header fields in each form that they have: as they are received, and as they are made here. */
export function eachForm(list: HeaderList): Fields[] {
  const lines = list.map(([name, value]) => `${name}: ${value}\r\n`);
  return [fieldsOf(lines.join("")), Fields.of([...list])];
}

/** The SHA-256 of some bytes or of a stream of them, in hexadecimal. */
export async function sha256(content: BodyInit | null): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await new Response(content).arrayBuffer());
  return new Uint8Array(digest).toHex();
}

/** Bytes that nobody would mistake for others of the same length. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

/** A directory for one test. */
export class TempDir implements AsyncDisposable {
  /** Its path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<TempDir> {
    return new TempDir(await Deno.makeTempDir({ prefix: "pingress-" }));
  }

  /** Puts a file into it, whole: a reader sees the old one or the new one. @returns its path. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
    return path;
  }

  /** Removes it with all that is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** A log whose lines can be read and waited for. */
export interface RecordedLog {
  /** To be written to. */
  log: Log;
  /** What was written, without the time. */
  lines: string[];
  /** Waits for a line with `text`, from line number `from` on. @returns the number of the line after it. */
  has(text: string, from?: number): Promise<number>;
}

/** Makes a log for a test. */
export function recordingLog(): RecordedLog {
  const lines: string[] = [];
  let written = Promise.withResolvers<void>();
  const log = createLog("test", {
    level: "debug",
    write: (line) => {
      lines.push(line.replace(/^\S+ /, ""));
      written.resolve();
      written = Promise.withResolvers();
    },
  });
  const has = async (text: string, from = 0) => {
    for (;;) {
      const index = lines.findIndex((line, index) => index >= from && line.includes(text));
      if (index !== -1) return index + 1;
      await within(written.promise, `"${text}" in the log, which says:\n${lines.join("\n")}\n`);
    }
  };
  return { log, lines, has };
}

/** One end of a byte stream in memory: what the other end sends is scripted, what it gets is recorded. */
export class FakeTransport {
  /** All that was written to it. */
  written = "";
  /** Was it closed? */
  isClosed = false;
  /** Was it said that nothing more is written? */
  isWriteClosed = false;
  #isStalled = false;
  readonly #arrived: (Uint8Array<ArrayBuffer> | Error | null)[] = [];
  #changed = Promise.withResolvers<void>();

  /** A stream on which `pieces` arrive, one with every read. */
  constructor(...pieces: string[]) {
    for (const piece of pieces) this.send(piece);
  }

  /** Lets a piece arrive. @returns itself. */
  send(piece: string): this {
    return this.#arrive(bytesOf(piece));
  }

  /** Lets the stream end. @returns itself. */
  end(): this {
    return this.#arrive(null);
  }

  /** Lets reading and writing fail. @returns itself. */
  fail(error: Error): this {
    return this.#arrive(error);
  }

  /** Waits until `text` was written. */
  async has(text: string): Promise<void> {
    while (!this.written.includes(text)) {
      await within(this.#changed.promise, `${JSON.stringify(text)} in ${JSON.stringify(this.written)}`);
    }
  }

  /** Takes nothing of what is written from now on. @returns itself. */
  stall(): this {
    this.#isStalled = true;
    return this;
  }

  /** Waits until nothing more is written. */
  async writeClosed(): Promise<void> {
    while (!this.isWriteClosed) await within(this.#changed.promise, "the end of what is written");
  }

  /** Waits until it is closed. */
  async closed(): Promise<void> {
    while (!this.isClosed) await within(this.#changed.promise, "a connection to be closed");
  }

  /** Reads as a connection does. */
  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    for (;;) {
      if (this.isClosed) throw new Deno.errors.BadResource("Bad resource ID");
      const [piece] = this.#arrived;
      if (piece === null) return null;
      if (piece instanceof Error) throw piece;
      if (piece !== undefined) {
        const part = piece.subarray(0, into.length);
        into.set(part);
        if (part.length < piece.length) this.#arrived[0] = piece.subarray(part.length);
        else this.#arrived.shift();
        return part.length;
      }
      await this.#changed.promise;
    }
  }

  /** Writes as a connection does. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    await Promise.resolve();
    while (this.#isStalled && !this.isClosed) await this.#changed.promise;
    if (this.isClosed || this.isWriteClosed) throw new Deno.errors.BadResource("Bad resource ID");
    const last = this.#arrived.at(-1);
    if (last instanceof Error) throw last;
    this.written += latin1(bytes);
    this.#change();
    return bytes.length;
  }

  /** Ends its own direction as a connection does. */
  async closeWrite(): Promise<void> {
    await Promise.resolve();
    if (this.isClosed) throw new Deno.errors.BadResource("Bad resource ID");
    this.isWriteClosed = true;
    this.#change();
  }

  /** Closes it as a connection is closed: reads and writes under way fail. */
  close(): void {
    this.isClosed = true;
    this.#change();
  }

  #arrive(piece: Uint8Array<ArrayBuffer> | Error | null): this {
    this.#arrived.push(piece);
    this.#change();
    return this;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/** Content whose pieces come when a test says so. */
export class FakeContent implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** See {@linkcode Content}. */
  hasEnded = false;
  /** Was it closed? */
  isClosed = false;
  readonly #arrived: (Piece | Error | null)[] = [];
  readonly #closing = Promise.withResolvers<void>();
  #changed = Promise.withResolvers<void>();

  /** Content that says that it has `length` bytes; its pieces need not agree. */
  constructor(length?: number) {
    this.length = length;
  }

  /** Lets a piece arrive. @returns itself. */
  send(piece: string): this {
    return this.#arrive(bytesOf(piece));
  }

  /** Lets the content end. @returns itself. */
  end(): this {
    return this.#arrive(null);
  }

  /** Lets the content break off. @returns itself. */
  fail(error: Error): this {
    return this.#arrive(error);
  }

  /** Waits until it is closed. */
  async closed(): Promise<void> {
    await within(this.#closing.promise, "content to be closed");
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    const [first] = this.#arrived;
    if (first instanceof Error) throw first;
    if (first === null) this.hasEnded = true;
    else if (first !== undefined) this.#arrived.shift();
    return first ?? undefined;
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    for (;;) {
      const piece = this.arrived();
      if (piece !== undefined || this.hasEnded) return piece;
      await this.#changed.promise;
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.isClosed = true;
    this.#closing.resolve();
  }

  #arrive(piece: Piece | Error | null): this {
    this.#arrived.push(piece);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return this;
  }
}

/** Reads content to its end, as text, and closes it. */
export async function textOf(content: Content | null): Promise<string> {
  let text = "";
  try {
    for (let piece; (piece = await content?.next()) !== undefined;) text += latin1(piece);
    return text;
  } finally {
    content?.close();
  }
}

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

  /** The script gets each connection with its number, from 1 on; with its end the connection is closed. */
  constructor(script: (peer: Peer, number: number) => Promise<void>) {
    this.address = this.#listener.addr;
    this.endpoint = formatAddress(this.address);
    this.#accept(script);
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

/** What a {@linkcode TestProxy} serves. */
export interface TestProxyOptions {
  /** The rules of its `proxy.json`; see {@linkcode rule}. */
  rules: unknown[];
  /** Its `endpoints.json`; without it every backend is looked up in DNS. */
  endpoints?: EndpointsFile;
  /** More members of its `proxy.json`. */
  config?: Record<string, unknown>;
  /** More files of its directory, by name. */
  files?: Record<string, string>;
  /** More options of the proxy; `defaultTls` names files of its directory. */
  options?: Partial<Omit<ProxyOptions, "server">>;
  /** More options of its server. */
  server?: Partial<ServerOptions>;
}

/** A server for tests: on free ports, with all that its flags would say. */
export const TEST_SERVER: ServerOptions = {
  listenHttp: { hostname: "127.0.0.1", port: 0 },
  listenHttps: { hostname: "127.0.0.1", port: 0 },
  allowsH2c: false,
  proxyProtocolFrom: [],
  trustedProxies: [],
  sendsForwarded: false,
  maxConnections: 1000,
  maxConnectionsPerClient: 0,
  maxUpstreamConnections: 1000,
  maxHeadBytes: 32 * 1024,
  maxTargetBytes: 16 * 1024,
  maxBodyBytes: 0,
  handshakeTimeout: 5000,
  headTimeout: 5000,
  idleTimeout: 5000,
  clientTimeout: 5000,
  connectTimeout: 5000,
  responseTimeout: 5000,
  streamTimeout: 5000,
  upstreamIdleTimeout: 4000,
  allowsLocalUpstreams: false,
  balance: "least-requests",
  accessLogRate: 0,
  metricsWithHosts: false,
};

/** What the log says when a new state is in place. */
export const LOADED = "Configuration loaded";

/** A proxy that serves files of a directory of its own, on free ports. */
export class TestProxy implements AsyncDisposable {
  /** The directory with its configuration. */
  readonly dir: TempDir;
  /** What it logs. */
  readonly record: RecordedLog;
  /** Where it listens. */
  readonly addresses: Proxy["addresses"];
  readonly #proxy: Proxy;
  #stopping: Promise<void> | undefined;

  private constructor(dir: TempDir, proxy: Proxy, record: RecordedLog) {
    this.dir = dir;
    this.record = record;
    this.addresses = proxy.addresses;
    this.#proxy = proxy;
  }

  /** Starts one. */
  static async start(
    { rules, endpoints, config, files, options, server }: TestProxyOptions,
  ): Promise<TestProxy> {
    const dir = await TempDir.make();
    for (const [name, text] of Object.entries(files ?? {})) await dir.write(name, text);
    if (endpoints !== undefined) await dir.write("endpoints.json", JSON.stringify(endpoints));
    const configFile = await dir.write("proxy.json", atDirectory({ ...config, rules }, dir));
    const record = recordingLog();
    const { defaultTls, ...rest } = options ?? {};
    const proxy = new Proxy({
      configFile,
      watchDirectory: dir.path,
      server: { ...TEST_SERVER, ...server },
      workers: 0,
      shutdownDelay: 0,
      drainTimeout: 10_000,
      accessLog: { write: (bytes) => Promise.resolve(bytes.length) },
      ...defaultTls && {
        defaultTls: { cert: `${dir.path}/${defaultTls.cert}`, key: `${dir.path}/${defaultTls.key}` },
      },
      log: record.log,
      ...rest,
    });
    try {
      await proxy.start();
      return new TestProxy(dir, proxy, record);
    } catch (error) {
      await proxy.stop();
      await dir[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Connects to its HTTP port. */
  async client(): Promise<Peer> {
    return await Peer.connect(this.addresses.http);
  }

  /** Replaces its rules and waits until they are loaded; see {@linkcode reloadFile}. */
  async reload(rules: unknown[], ...messages: string[]): Promise<void> {
    await this.reloadFile("proxy.json", atDirectory({ rules }, this.dir), ...messages);
  }

  /** Replaces one of its files and waits until the log has said `messages`, one after the other. */
  async reloadFile(name: string, text: string, ...messages: string[]): Promise<void> {
    let from = this.record.lines.length;
    await this.dir.write(name, text);
    for (const message of messages.length > 0 ? messages : [LOADED]) {
      from = await this.record.has(message, from);
    }
  }

  /** Stops it, once, and waits for what runs. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#proxy.stop();
    await this.#stopping;
  }

  /** Stops it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** A rule for `proxy.json`: everything at `path` of `host` goes to the Service `backend`, port 80. */
export function rule(host: string | undefined, path: string, backend: string, members = {}): unknown {
  return {
    host,
    path: { type: "Prefix", path },
    backend: { type: "Service", name: backend, namespace: "default", port: 80 },
    ...members,
  };
}

/** The member of a rule that names the files `<name>.key` and `<name>.cert`. */
export function tlsFiles(name: string): { tls: { key: string; cert: string } } {
  return { tls: { key: `./${name}.key`, cert: `./${name}.cert` } };
}

/** The text of a configuration; its certificate files are named before there is a directory for them. */
function atDirectory(config: Record<string, unknown>, dir: TempDir): string {
  return JSON.stringify(config).replaceAll('"./', `"${dir.path}/`);
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
