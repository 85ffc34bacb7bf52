import { type ClientHttp2Stream, constants } from "node:http2";
import type { Content, Piece } from "../exchange.ts";
import { isWithoutContent } from "../http1/response.ts";

/** Options of {@linkcode Http2Content}. */
export interface Http2ContentOptions {
  /** How long the backend may send nothing, in milliseconds. */
  timeout: number;
  /** Called once when no more of it is read. */
  onClose: () => void;
  /** Makes an error of what went wrong. */
  explain: (cause: unknown) => Error;
}

/** The backend has sent nothing for too long. */
export class SilenceError extends Error {
  override name = "SilenceError";
  override message = "The backend sends nothing";
}

/** The content of a response on its HTTP/2 stream. */
export class Http2Content implements Content {
  /** See {@linkcode Content}; known once the head is. */
  length: number | undefined;
  readonly #stream: ClientHttp2Stream;
  readonly #options: Http2ContentOptions;
  readonly #queue: Piece[] = [];
  #hasWholeCome = false;
  #isStreamOver = false;
  #isWithoutContent = false;
  #failure: Error | undefined;
  #received = 0;
  #arrival = Promise.withResolvers<void>();
  #isClosed = false;

  /** Reads a stream, of which nothing has been read. */
  constructor(stream: ClientHttp2Stream, options: Http2ContentOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on("data", (chunk: Piece) => {
      this.#queue.push(chunk);
      stream.pause();
      this.#arrive();
    });
    // Node's stream ends in the same way when it is reset or its connection is gone, and says so only when all
    // has been read. What it is told at once is the only difference: END_STREAM comes on an open stream
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
    stream.on("error", (error: Error) => this.#fail(error));
    stream.on("close", () => this.#fail(new Error("The stream was closed")));
  }

  /** Takes what the head says of the content. */
  expect(status: number, method: string, length: string | undefined): void {
    this.#isWithoutContent = isWithoutContent(status, method);
    if (!this.#isWithoutContent && length !== undefined) this.length = Number(length);
  }

  /** See {@linkcode Content}. */
  get hasEnded(): boolean {
    return this.#isWithoutContent || (this.#isStreamOver && this.#queue.length === 0 && this.#isWhole);
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    const piece = this.#queue.shift();
    if (piece === undefined) return undefined;
    this.#received += piece.length;
    if (this.length !== undefined && this.#received > this.length) {
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
      const timer = setTimeout(() => this.#fail(new SilenceError()), this.#options.timeout);
      await this.#arrival.promise;
      clearTimeout(timer);
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // a stream without content ends by itself
    if (!this.#isStreamOver && !this.#isWithoutContent) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#stream.resume();
    this.#options.onClose();
  }

  get #isWhole(): boolean {
    return this.length === undefined || this.#received === this.length;
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
