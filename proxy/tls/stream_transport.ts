import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Transport } from "../transport.ts";

/** How much may have arrived without being read before no more is taken from the network, in bytes. */
const MOST_QUEUED = 64 * 1024;

/** Writes of so many bytes do not wait for the network when nothing else is on its way. */
const EAGER_BYTES = 32 * 1024;

/** Chunks of so many bytes have a buffer of their own. */
const LARGE_BYTES = 16 * 1024;

interface Read {
  into: Uint8Array<ArrayBuffer>;
  resolve: (count: number | null) => void;
  reject: (error: Error) => void;
}

/** The inside of a TLS connection of Node's as a byte stream, with back-pressure both ways. */
export class StreamTransport implements Transport {
  readonly #socket: TLSSocket;
  readonly #below: Pick<Duplex, "pause" | "resume">;
  readonly #queue: Uint8Array[] = [];
  #queued = 0;
  #isPaused = false;
  #hasEnded = false;
  #failure: Error | undefined;
  #read: Read | undefined;

  /**
   * Takes over a socket that stands on a stream, which is paused when too much has come: pausing the socket
   * itself stops nothing in Deno 2.9.
   */
  constructor(socket: TLSSocket, below: Pick<Duplex, "pause" | "resume">) {
    this.#socket = socket;
    this.#below = below;
    socket.on("data", (chunk: Uint8Array) => this.#receive(chunk));
    socket.on("end", () => this.#end(undefined));
    socket.on("error", (error: Error) => this.#end(error));
    // what is wrong with TLS itself is told nobody else, unless a server of Node's has accepted the socket
    socket.on("_tlsError", (error: Error) => this.#end(error));
    socket.on("close", () => this.#end(this.#hasEnded ? undefined : new Error("The connection was closed")));
  }

  /** See {@linkcode Transport}. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const chunk = this.#queue[0];
    if (chunk !== undefined) {
      const before = chunk.length;
      const rest = moveInto(into, chunk);
      if (rest === undefined) this.#queue.shift();
      else this.#queue[0] = rest;
      const count = before - (rest?.length ?? 0);
      this.#queued -= count;
      this.#resumeWhenEmpty();
      return Promise.resolve(count);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#hasEnded) return Promise.resolve(null);
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    this.#read = { into, resolve, reject };
    return promise;
  }

  /** See {@linkcode Transport}. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // a write of nothing closes a TLS socket of Deno 2.9's
    if (bytes.length === 0) return Promise.resolve(0);
    // when nothing is on its way TLS copies the bytes within this call; a failure shows with the next one
    if (bytes.length <= EAGER_BYTES && this.#socket.writableLength === 0) {
      this.#socket.write(bytes);
      return Promise.resolve(bytes.length);
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    return promise;
  }

  /** See {@linkcode Transport}. */
  closeWrite(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#socket.destroyed) resolve();
    this.#socket.once("close", resolve);
    this.#socket.end(() => resolve());
    return promise;
  }

  /** See {@linkcode Transport}. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Uint8Array): void {
    let rest: Uint8Array | undefined = chunk;
    if (this.#read !== undefined) {
      const { into, resolve } = this.#read;
      const before = chunk.length;
      this.#read = undefined;
      rest = moveInto(into, chunk);
      resolve(before - (rest?.length ?? 0));
      if (rest === undefined) return;
    }
    this.#queue.push(rest);
    this.#queued += rest.length;
    if (this.#queued <= MOST_QUEUED || this.#isPaused) return;
    this.#isPaused = true;
    this.#below.pause();
  }

  #resumeWhenEmpty(): void {
    if (!this.#isPaused || this.#queued > 0 || this.#socket.destroyed) return;
    this.#isPaused = false;
    // the socket above may have said meanwhile that it is reading: without the pause nothing would happen
    this.#below.pause();
    this.#below.resume();
  }

  #end(error: Error | undefined): void {
    this.#failure ??= error;
    this.#hasEnded = true;
    const read = this.#read;
    this.#read = undefined;
    if (this.#failure === undefined) read?.resolve(null);
    else read?.reject(this.#failure);
  }
}

/** Moves as much as there is room for. @returns what is left, if anything; the chunk is of no more use. */
function moveInto(into: Uint8Array, chunk: Uint8Array): Uint8Array | undefined {
  if (chunk.length > into.length) {
    into.set(chunk.subarray(0, into.length));
    return chunk.subarray(into.length);
  }
  into.set(chunk);
  release(chunk.buffer);
  return undefined;
}

/**
 * Gives the memory of a large chunk back at once. The garbage collector does not hurry for memory that is not
 * its own: left to it, an upload held up to 64 MiB.
 */
export function release(buffer: unknown): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= LARGE_BYTES) buffer.transfer(0);
}
