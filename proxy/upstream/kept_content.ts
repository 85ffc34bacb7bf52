import type { Content, Piece } from "../exchange.ts";

/** How much is kept, in bytes: enough for most calls of gRPC that send one message. */
const MOST_KEPT = 16 * 1024;

/** In so many pieces at most: each takes some hundred bytes more, and may be of one byte. */
const MOST_PIECES = 64;

/** Content that is kept while it is sent, as long as it is short, for a request that may have to be sent again. */
export class KeptContent implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** See {@linkcode Content}. */
  readonly trailers: Content["trailers"];
  readonly #content: Content;
  /** Nothing once there was too much of it. */
  #kept: Piece[] | undefined = [];
  #bytes = 0;

  /** Content of which nothing has been read. */
  constructor(content: Content) {
    this.length = content.length;
    this.trailers = content.trailers && (() => content.trailers?.());
    this.#content = content;
  }

  /** See {@linkcode Content}. */
  get hasEnded(): boolean {
    return this.#content.hasEnded;
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    try {
      return this.#keep(this.#content.arrived());
    } catch (error) {
      // what is there is not all of it
      this.#kept = undefined;
      throw error;
    }
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    try {
      return this.#keep(await this.#content.next());
    } catch (error) {
      this.#kept = undefined;
      throw error;
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.#content.close();
  }

  /** The same content once more. @returns nothing when it has not ended, for somebody may still read it, or is too long. */
  again(): Content | undefined {
    if (this.#kept === undefined || !this.hasEnded) return undefined;
    return new ReadContent(this.#kept, this);
  }

  #keep(piece: Piece | undefined): Piece | undefined {
    if (piece === undefined) return undefined;
    this.#bytes += piece.length;
    if (this.#bytes > MOST_KEPT || this.#kept?.length === MOST_PIECES) this.#kept = undefined;
    // it is valid until the next one only
    this.#kept?.push(piece.slice());
    return piece;
  }
}

/** Content that has been read. */
class ReadContent implements Content {
  readonly length: number | undefined;
  readonly trailers: Content["trailers"];
  readonly #pieces: Piece[];

  constructor(pieces: readonly Piece[], { length, trailers }: Pick<Content, "length" | "trailers">) {
    this.length = length;
    this.trailers = trailers;
    this.#pieces = [...pieces];
  }

  get hasEnded(): boolean {
    return this.#pieces.length === 0;
  }

  arrived(): Piece | undefined {
    return this.#pieces.shift();
  }

  next(): Promise<Piece | undefined> {
    return Promise.resolve(this.arrived());
  }

  close(): void {}
}
