import { Buffer } from "node:buffer";
import type { TLSSocket } from "node:tls";
import type { Address } from "@pingress/config";
import { connectTls, type TlsClientOptions } from "../peers.ts";
import { bytesOf } from "../testing.ts";
import { Signal } from "./signal.ts";

/** A client that sends what it is told, and keeps every byte that it gets. */
export abstract class RawClient implements Disposable {
  /** All that it has got. */
  received = "";
  /** Has the other side ended? */
  hasEnded = false;
  /** Told whenever anything happens. */
  readonly signal: Signal;
  #isClosed = false;

  /** A client that tells `signal` of what happens. */
  constructor(signal: Signal) {
    this.signal = signal;
  }

  /** Connects in clear. */
  static async http({ hostname, port }: Address, signal = new Signal()): Promise<RawClient> {
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay(true);
    return new TcpClient(connection, signal);
  }

  /** Connects over TLS. */
  static async https(
    address: Address,
    { signal = new Signal(), ...options }: TlsClientOptions & { signal?: Signal },
  ): Promise<RawClient> {
    return new TlsClient(await connectTls(address, options), signal);
  }

  /** Sends a text; what the other side does not take any more is lost. */
  async write(text: string): Promise<void> {
    await this.writeBytes(bytesOf(text));
  }

  /** Sends a text in as many pieces as it has bytes. */
  async writeBytewise(text: string): Promise<void> {
    for (const byte of bytesOf(text)) await this.writeBytes(Uint8Array.of(byte));
  }

  /** Waits until it has got a text. */
  async has(text: string): Promise<void> {
    await this.signal.until(
      () => this.received.includes(text) || this.hasEnded,
      `${JSON.stringify(text)} in ${JSON.stringify(this.received)}`,
    );
  }

  /** Sends bytes; those that the other side does not take any more are lost. */
  abstract writeBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Says that nothing more is sent. */
  abstract closeWrite(): Promise<void>;
  /** Takes nothing more of what comes. */
  abstract stopReading(): void;

  /** Closes the connection, once. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.destroy();
  }

  /** Closes the connection. */
  protected abstract destroy(): void;

  /** Something has come. */
  protected receive(bytes: Uint8Array): void {
    this.received += Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    this.signal.tell();
  }

  /** Nothing more comes. */
  protected end(): void {
    this.hasEnded = true;
    this.signal.tell();
  }
}

class TcpClient extends RawClient {
  readonly #connection: Deno.TcpConn;
  #isReading = true;

  constructor(connection: Deno.TcpConn, signal: Signal) {
    super(signal);
    this.#connection = connection;
    this.#pump();
  }

  async writeBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
    } catch {
      // the other side has closed it
    }
  }

  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  stopReading(): void {
    this.#isReading = false;
  }

  protected destroy(): void {
    this.#connection.close();
  }

  async #pump(): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    try {
      for (let count; (count = await this.#connection.read(bytes)) !== null;) {
        this.receive(bytes.subarray(0, count));
        if (!this.#isReading) return;
      }
    } catch {
      // reset, or closed from this side
    }
    this.end();
  }
}

class TlsClient extends RawClient {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket, signal: Signal) {
    super(signal);
    this.#socket = socket;
    socket.removeAllListeners("error");
    socket.on("data", (bytes: Uint8Array) => this.receive(bytes));
    socket.on("end", () => this.end());
    socket.on("error", () => this.end());
    socket.on("close", () => this.end());
  }

  async writeBytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    // writing nothing closes a TLS connection of Deno 2.9.6
    if (bytes.length === 0 || this.#socket.destroyed || this.#socket.writableEnded) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("close", resolve);
    this.#socket.write(bytes, () => resolve());
    await promise;
    this.#socket.removeListener("close", resolve);
  }

  async closeWrite(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.end(resolve);
    await promise;
  }

  stopReading(): void {
    this.#socket.pause();
  }

  protected destroy(): void {
    this.#socket.destroy();
  }
}
