import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { type SecureContext, TLSSocket } from "node:tls";
import { type Transport, writeAll } from "../transport.ts";
import { release, StreamTransport } from "./stream_transport.ts";
import { MOST_ENCRYPTED, TlsEngine } from "./tls_engine.ts";

/** Options of {@linkcode acceptTls}. */
export interface TlsOptions {
  /** The certificate and what else is agreed on. */
  secureContext: SecureContext;
  /** The protocols that may be spoken inside, the best one first (RFC 7301). */
  protocols: string[];
  /** What has been read already: the start of the handshake. */
  first: Uint8Array<ArrayBuffer>;
  /** Finds TLS itself in a socket. */
  engineOf?: (socket: TLSSocket) => TlsEngine | undefined;
}

/** The inside of a TLS connection. */
export interface Secured {
  /** Its byte stream. */
  transport: Transport;
  /** The protocol that was agreed on, if any. */
  protocol: string | undefined;
}

/** Enough for most requests: what a connection that waits for its next request holds. */
const FIRST_BYTES = 4 * 1024;
/** Two records of the largest size. */
const STREAM_BYTES = 33 * 1024;

/**
 * Does the server's side of a TLS handshake on a byte stream.
 *
 * @throws {Error} when the handshake fails: an alert has been sent then, and the stream is left to be closed.
 */
export async function acceptTls(below: Transport, options: TlsOptions): Promise<Secured> {
  const { secureContext, protocols, first, engineOf = TlsEngine.of } = options;
  const cable = new Cable(below);
  const socket = new TLSSocket(cable, { isServer: true, secureContext, ALPNProtocols: protocols });
  const engine = engineOf(socket);
  const transport = engine === undefined
    ? new StreamTransport(socket, cable)
    : new TlsTransport(below, socket, engine);
  const secured = Promise.withResolvers<void>();
  secured.promise.catch(() => {}); // perhaps its transport was told first
  socket.once("secure", secured.resolve);
  socket.on("error", secured.reject);
  socket.once("close", () => secured.reject(new Error("The connection was closed within the handshake")));
  try {
    // so does the socket put off its own start, which would fail if the handshake had failed before it
    await new Promise<void>((resolve) => nextTick(resolve));
    if (transport instanceof TlsTransport) await transport.handshake(first);
    else cable.start(first);
    await secured.promise;
    return { transport, protocol: socket.alpnProtocol || undefined };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The inside of a TLS connection, without the layers of Node's streams. */
class TlsTransport implements Transport {
  readonly #below: Transport;
  readonly #socket: TLSSocket;
  readonly #engine: TlsEngine;
  readonly #arrived: Uint8Array<ArrayBuffer>[] = [];
  readonly #firstBuffer = new Uint8Array(FIRST_BYTES);
  #buffer = this.#firstBuffer;
  #isSecure = false;
  #hasEnded = false;
  #failure: Error | undefined;

  constructor(below: Transport, socket: TLSSocket, engine: TlsEngine) {
    this.#below = below;
    this.#socket = socket;
    this.#engine = engine;
    socket.once("secure", () => this.#isSecure = true);
    engine.tell({
      arrived: (plaintext) => this.#arrived.push(new Uint8Array(plaintext)),
      ended: () => this.#hasEnded = true,
      failed: (error) => this.#failure ??= error,
    });
  }

  /** Does the handshake, which has begun with some bytes. */
  async handshake(first: Uint8Array): Promise<void> {
    this.#engine.decrypt(first);
    for (;;) {
      await writeAll(this.#below, this.#engine.output());
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isSecure) return;
      if (this.#hasEnded) throw new Error("The connection ended within the handshake");
      await this.#readCiphertext();
    }
  }

  /** See {@linkcode Transport}. */
  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    for (;;) {
      const chunk = this.#arrived[0];
      if (chunk !== undefined) return this.#deliver(chunk, into);
      if (this.#failure !== undefined) throw await this.#lastWords(this.#failure);
      if (this.#hasEnded) return null;
      await this.#readCiphertext();
    }
  }

  /** See {@linkcode Transport}. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const some = bytes.length > MOST_ENCRYPTED ? bytes.subarray(0, MOST_ENCRYPTED) : bytes;
    const ciphertext = this.#engine.encrypt(some);
    const count = await this.#below.write(ciphertext);
    if (count < ciphertext.length) await writeAll(this.#below, ciphertext.subarray(count));
    return some.length;
  }

  /** See {@linkcode Transport}. */
  async closeWrite(): Promise<void> {
    await writeAll(this.#below, this.#engine.end());
    await this.#below.closeWrite();
  }

  /** See {@linkcode Transport}. */
  close(): void {
    this.#failure ??= new Error("The connection was closed");
    this.#socket.destroy();
    this.#below.close();
  }

  async #readCiphertext(): Promise<void> {
    const buffer = this.#buffer;
    const count = await this.#below.read(buffer);
    if (count === null) {
      this.#hasEnded = true;
      return;
    }
    this.#engine.decrypt(buffer.subarray(0, count));
    // as much as there was room for has come: there is more
    if (count === buffer.length && buffer === this.#firstBuffer) this.#buffer = new Uint8Array(STREAM_BYTES);
    else if (count < FIRST_BYTES) this.#buffer = this.#firstBuffer;
  }

  #deliver(chunk: Uint8Array<ArrayBuffer>, into: Uint8Array<ArrayBuffer>): number {
    if (chunk.length > into.length) {
      into.set(chunk.subarray(0, into.length));
      this.#arrived[0] = chunk.subarray(into.length);
      return into.length;
    }
    into.set(chunk);
    this.#arrived.shift();
    const { length } = chunk;
    release(chunk.buffer);
    return length;
  }

  /** Tells the other side what was wrong, unless it takes nothing. */
  async #lastWords(failure: Error): Promise<Error> {
    await writeAll(this.#below, this.#engine.output()).catch(() => {});
    return failure;
  }
}

/** Joins a TLSSocket to a byte stream, where there is no other way. */
class Cable extends Duplex {
  readonly #below: Transport;
  #hasStarted = false;

  constructor(below: Transport) {
    super();
    this.#below = below;
  }

  /** Takes what has been read already, and reads from now on. */
  start(first: Uint8Array): void {
    this.#hasStarted = true;
    this.push(first);
  }

  override _read(): void {
    if (!this.#hasStarted) return;
    const buffer = new Uint8Array(STREAM_BYTES);
    this.#below.read(buffer).then(
      (count) => this.push(count === null ? null : buffer.subarray(0, count)),
      (error) => this.destroy(error),
    );
  }

  override _write(chunk: Uint8Array<ArrayBuffer>, _encoding: string, done: (error?: Error) => void): void {
    writeAll(this.#below, chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error) => void): void {
    this.#below.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#hasStarted) this.#below.close();
    done(error);
  }
}
