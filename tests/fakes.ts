/**
 * Byte streams and content in memory, which follow a script.
 *
 * @module
 */
import type { Content, Piece } from "../proxy/exchange.ts";
import { bytesOf, latin1, within } from "./testing.ts";

/** What arrives one after the other, when a test says so. */
class Script {
  /** What has arrived and was not taken: pieces, null for the end, or a failure. */
  protected readonly pieces: (Piece | Error | null)[] = [];
  #changed = Promise.withResolvers<void>();

  /** Lets a piece arrive. @returns itself. */
  send(piece: string): this {
    return this.#arrive(bytesOf(piece));
  }

  /** Lets it end. @returns itself. */
  end(): this {
    return this.#arrive(null);
  }

  /** Lets it break off. @returns itself. */
  fail(error: Error): this {
    return this.#arrive(error);
  }

  /** Comes with the next change. */
  protected get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Tells all who wait. */
  protected change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #arrive(piece: Piece | Error | null): this {
    this.pieces.push(piece);
    this.change();
    return this;
  }
}

/** One end of a byte stream in memory: what the other end sends is scripted, what it gets is recorded. */
export class FakeTransport extends Script {
  /** All that was written to it. */
  written = "";
  /** Was it closed? */
  isClosed = false;
  /** Was it said that nothing more is written? */
  isWriteClosed = false;
  #isStalled = false;

  /** A stream on which `pieces` arrive, one with every read; a failure is one of writing, too. */
  constructor(...pieces: string[]) {
    super();
    for (const piece of pieces) this.send(piece);
  }

  /** Waits until `text` was written. */
  async has(text: string): Promise<void> {
    while (!this.written.includes(text)) {
      await within(this.changed, `${JSON.stringify(text)} in ${JSON.stringify(this.written)}`);
    }
  }

  /** Takes nothing of what is written from now on. @returns itself. */
  stall(): this {
    this.#isStalled = true;
    return this;
  }

  /** Waits until nothing more is written. */
  async writeClosed(): Promise<void> {
    while (!this.isWriteClosed) await within(this.changed, "the end of what is written");
  }

  /** Waits until it is closed. */
  async closed(): Promise<void> {
    while (!this.isClosed) await within(this.changed, "a connection to be closed");
  }

  /** Reads as a connection does. */
  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    for (;;) {
      if (this.isClosed) throw new Deno.errors.BadResource("Bad resource ID");
      const [piece] = this.pieces;
      if (piece === null) return null;
      if (piece instanceof Error) throw piece;
      if (piece !== undefined) {
        const part = piece.subarray(0, into.length);
        into.set(part);
        if (part.length < piece.length) this.pieces[0] = piece.subarray(part.length);
        else this.pieces.shift();
        return part.length;
      }
      await this.changed;
    }
  }

  /** Writes as a connection does. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    await Promise.resolve();
    while (this.#isStalled && !this.isClosed) await this.changed;
    if (this.isClosed || this.isWriteClosed) throw new Deno.errors.BadResource("Bad resource ID");
    const last = this.pieces.at(-1);
    if (last instanceof Error) throw last;
    this.written += latin1(bytes);
    this.change();
    return bytes.length;
  }

  /** Ends its own direction as a connection does. */
  async closeWrite(): Promise<void> {
    await Promise.resolve();
    if (this.isClosed) throw new Deno.errors.BadResource("Bad resource ID");
    this.isWriteClosed = true;
    this.change();
  }

  /** Closes it as a connection is closed: reads and writes under way fail. */
  close(): void {
    this.isClosed = true;
    this.change();
  }
}

/** Content whose pieces come when a test says so. */
export class FakeContent extends Script implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** See {@linkcode Content}. */
  hasEnded = false;
  /** Was it closed? */
  isClosed = false;
  readonly #closing = Promise.withResolvers<void>();

  /** Content that says that it has `length` bytes; its pieces need not agree. */
  constructor(length?: number) {
    super();
    this.length = length;
  }

  /** Waits until it is closed. */
  async closed(): Promise<void> {
    await within(this.#closing.promise, "content to be closed");
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    const [first] = this.pieces;
    if (first instanceof Error) throw first;
    if (first === null) this.hasEnded = true;
    else if (first !== undefined) this.pieces.shift();
    return first ?? undefined;
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    for (;;) {
      const piece = this.arrived();
      if (piece !== undefined || this.hasEnded) return piece;
      await this.changed;
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.isClosed = true;
    this.#closing.resolve();
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
