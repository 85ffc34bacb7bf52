import type { Http2Stream } from "node:http2";
import type { Deadlines, Expiring } from "../deadlines.ts";
import type { Content, Piece } from "../exchange.ts";
import { removeConnectionHeaders } from "../filters/connection_headers.ts";
import type { FieldNames } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import { fromNode } from "./node_fields.ts";

/** Options of {@linkcode Http2Content}. */
export interface Http2ContentOptions {
  /** Looks after its deadline. */
  deadlines: Deadlines;
  /** How long the other side may send nothing, in milliseconds. */
  timeout: number;
  /** What its trailers may not say. */
  notPassedOn: FieldNames;
  /** Called once when no more of it is read. */
  onClose: (how: { isOver: boolean }) => void;
  /** Makes an error of what went wrong. */
  explain: (cause: unknown) => Error;
}

/** What Node's streams know of themselves. */
interface Readable {
  _readableState?: { ended: boolean };
}

/** The other side has sent nothing for too long. */
export class SilenceError extends Error {
  override name = "SilenceError";
  override message = "Nothing is sent";
}

/** The content of a message on its HTTP/2 stream. */
export class Http2Content implements Content, Expiring {
  /** See {@linkcode Content}; known once the head is. */
  length: number | undefined;
  /** How many bytes have been read. */
  received = 0;
  /** See {@linkcode Expiring}; there is none but while it is waited for. */
  deadline = Infinity;
  readonly #stream: Http2Stream;
  readonly #options: Http2ContentOptions;
  readonly #queue: Piece[] = [];
  #hasWholeCome = false;
  #isStreamOver = false;
  #failure: Error | undefined;
  #trailers: Fields | undefined;
  #arrival = Promise.withResolvers<void>();
  #isClosed = false;

  /** Reads a stream, of which nothing has been read. */
  constructor(stream: Http2Stream, options: Http2ContentOptions) {
    this.#stream = stream;
    this.#options = options;
    options.deadlines.add(this);
    stream.on("data", (chunk: Piece) => {
      this.#queue.push(chunk);
      stream.pause();
      this.#arrive();
    });
    // Node's stream ends in the same way when it is reset or its connection is gone, and says so only when all
    // has been read. What it is told at once is the only difference: END_STREAM comes on an open stream, perhaps
    // together with the head and before anybody could listen
    this.#hasWholeCome = (stream as unknown as Readable)._readableState?.ended ?? false;
    const push = stream.push;
    stream.push = (chunk, encoding) => {
      if (chunk === null && !stream.closed && !stream.destroyed) this.#hasWholeCome = true;
      return push.call(stream, chunk, encoding);
    };
    stream.on("end", () => {
      if (!this.#hasWholeCome) return this.#fail(new Error("The stream was reset"));
      this.#isStreamOver = true;
      this.#arrive();
    });
    stream.on("trailers", (_headers: unknown, _flags: number, raw: readonly string[]) => {
      const trailers = fromNode(raw);
      removeConnectionHeaders(trailers, options.notPassedOn);
      trailers.removeUnderscored();
      this.#trailers = trailers;
    });
    stream.on("error", (error: Error) => this.#fail(error));
    stream.on("close", () => this.#fail(new Error("The stream was closed")));
  }

  /** See {@linkcode Content}. */
  get hasEnded(): boolean {
    return this.#isStreamOver && this.#queue.length === 0 && this.#isWhole;
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    const piece = this.#queue.shift();
    if (piece === undefined) return undefined;
    this.received += piece.length;
    if (this.length !== undefined && this.received > this.length) {
      throw this.#options.explain(new Error("The content is longer than announced"));
    }
    this.#stream.resume();
    return piece;
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    for (;;) {
      const piece = this.arrived();
      if (piece !== undefined || this.hasEnded) return piece;
      if (this.#failure !== undefined) throw this.#options.explain(this.#failure);
      if (this.#isStreamOver) throw this.#options.explain(new Error("The content is shorter than announced"));
      this.#arrival = Promise.withResolvers();
      this.deadline = this.#nextDeadline;
      await this.#arrival.promise;
      this.deadline = Infinity;
    }
  }

  /** See {@linkcode Content}. */
  trailers(): Fields | undefined {
    return this.#trailers;
  }

  /** Something happens in the other direction: it may take longer. */
  extend(): void {
    if (this.deadline !== Infinity) this.deadline = this.#nextDeadline;
  }

  /** See {@linkcode Expiring}. */
  expire(): void {
    this.#fail(new SilenceError());
  }

  /** See {@linkcode Content}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.deadlines.delete(this);
    this.#options.onClose({ isOver: this.#isStreamOver });
  }

  get #nextDeadline(): number {
    return this.#options.deadlines.now + this.#options.timeout;
  }

  get #isWhole(): boolean {
    return this.length === undefined || this.received === this.length;
  }

  #arrive(): void {
    this.#arrival.resolve();
  }

  #fail(error: Error): void {
    if (this.#isStreamOver) return;
    this.#failure ??= error;
    this.#arrive();
  }
}
