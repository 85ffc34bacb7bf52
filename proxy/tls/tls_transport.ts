import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { connect, type ConnectionOptions, type SecureContext, TLSSocket } from "node:tls";
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
  engineOf?: ((socket: TLSSocket) => TlsEngine | undefined) | undefined;
}

/** The inside of a TLS connection. */
export interface Secured {
  /** Its byte stream. */
  transport: Transport;
  /** The protocol that was agreed on, if any. */
  protocol: string | undefined;
}

/** Two records of the largest size: so much is decrypted at once. */
const MOST_READ = 33 * 1024;
/** Into less a record would come in many pieces. */
const LEAST_READ = 2 * 1024;
/** Enough for what a client says in a handshake. */
const HANDSHAKE_BYTES = 4 * 1024;
const NOTHING = new Uint8Array(0);

/**
 * Does the server's side of a TLS handshake on a byte stream.
 *
 * @throws {Error} when the handshake fails: an alert has been sent then, and the stream is left to be closed.
 */
export async function acceptTls(below: Transport, options: TlsOptions): Promise<Secured> {
  const { secureContext, protocols, first, engineOf } = options;
  const cable = new Cable(below);
  const socket = new TLSSocket(cable, { isServer: true, secureContext, ALPNProtocols: protocols });
  return await secure(below, { cable, socket, first, engineOf, event: "secure" });
}

/**
 * Does the client's side of a TLS handshake on a byte stream, with the options of `connect` of node:tls.
 *
 * @throws {Error} when the handshake fails: an alert has been sent then, and the stream is left to be closed.
 */
export async function connectTls(
  below: Transport,
  { engineOf, ...options }: ConnectionOptions & Pick<TlsOptions, "engineOf">,
): Promise<Secured> {
  const cable = new Cable(below);
  const socket = connect({ ...options, socket: cable });
  return await secure(below, { cable, socket, first: NOTHING, engineOf, event: "secureConnect" });
}

interface Securing extends Pick<TlsOptions, "first" | "engineOf"> {
  cable: Cable;
  socket: TLSSocket;
  /** What the socket says when all is well. */
  event: "secure" | "secureConnect";
}

async function secure(
  below: Transport,
  { cable, socket, first, engineOf = TlsEngine.of, event }: Securing,
): Promise<Secured> {
  const engine = engineOf(socket);
  const transport = engine === undefined
    ? new StreamTransport(socket, cable)
    : new TlsTransport(below, socket, engine);
  const secured = Promise.withResolvers<void>();
  secured.promise.catch(() => {}); // perhaps its transport was told first
  socket.once(event, secured.resolve);
  socket.on("error", secured.reject);
  socket.once("end", () => secured.reject(new Error("The connection ended within the handshake")));
  socket.once("close", () => secured.reject(new Error("The connection was closed within the handshake")));
  try {
    // so does the socket put off its own start, which would fail if the handshake had failed before it
    await new Promise<void>((resolve) => nextTick(resolve));
    // it has given up already with a certificate that cannot be used
    if (!socket.destroyed) {
      if (transport instanceof TlsTransport) await transport.handshake(first);
      else cable.start(first);
    }
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
  #isWriting = false;
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
    const buffer = new Uint8Array(HANDSHAKE_BYTES);
    this.#engine.decrypt(first);
    for (;;) {
      await writeAll(this.#below, this.#engine.output());
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#isSecure) return;
      if (this.#hasEnded) throw new Error("The connection ended within the handshake");
      await this.#readCiphertext(buffer);
    }
  }

  /** See {@linkcode Transport}. */
  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    for (;;) {
      const chunk = this.#arrived[0];
      if (chunk !== undefined) return this.#deliver(chunk, into);
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#hasEnded) return null;
      await this.#readCiphertext(into);
      if (this.#arrived.length === 0) await this.#answer();
    }
  }

  /** See {@linkcode Transport}. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    const some = bytes.length > MOST_ENCRYPTED ? bytes.subarray(0, MOST_ENCRYPTED) : bytes;
    const ciphertext = this.#engine.encrypt(some);
    this.#isWriting = true;
    try {
      const count = await this.#below.write(ciphertext);
      if (count < ciphertext.length) await writeAll(this.#below, ciphertext.subarray(count));
    } finally {
      this.#isWriting = false;
    }
    release(ciphertext.buffer);
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

  /** Reads into a buffer of which the content does not matter, for there may be none else while nothing comes. */
  async #readCiphertext(into: Uint8Array<ArrayBuffer>): Promise<void> {
    const buffer = into.length < LEAST_READ
      ? new Uint8Array(LEAST_READ)
      : into.length > MOST_READ
      ? into.subarray(0, MOST_READ)
      : into;
    const count = await this.#below.read(buffer);
    if (count === null) this.#hasEnded = true;
    else this.#engine.decrypt(buffer.subarray(0, count));
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

  /**
   * Sends what TLS itself says to what has come: what is wrong with it, or that there is no second handshake. It
   * is a few bytes, which go at once; but while a record is on its way they wait for the next one.
   */
  async #answer(): Promise<void> {
    if (this.#isWriting) return;
    // where the other side takes nothing, the next read or write will say so
    await writeAll(this.#below, this.#engine.output()).catch(() => {});
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
    const buffer = new Uint8Array(MOST_READ);
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
