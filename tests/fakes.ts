/**
 * Byte streams and content in memory, which follow a script.
 *
 * @module
 */
import type { Content, Piece } from "../proxy/exchange.ts";
import { bytesOf, latin1, within } from "./testing.ts";

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
