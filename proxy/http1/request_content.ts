import type { Content, Piece } from "../exchange.ts";
import type { ContentReader } from "./content.ts";

/** What the connection does when a request's content is read. */
export interface RequestContentOptions {
  /** How many bytes it has, where that is known. */
  length: number | undefined;
  /** Called before the client is waited for. */
  onWait: () => void;
  /** Called when it has been waited for. */
  onArrival: () => void;
  /** Called once, when all of it has been read and is of no more use. */
  onEnd: () => void;
}

/** The content of a request on its connection. */
export class RequestContent implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** How many bytes have been read. */
  received = 0;
  readonly #reader: ContentReader;
  readonly #options: RequestContentOptions;
  readonly #closing = Promise.withResolvers<void>();
  #hasBegun = false;
  #isClientAwaited = false;
  #isClosed = false;
  #hasToldEnd = false;

  /** Reads what a connection has behind a head. */
  constructor(reader: ContentReader, options: RequestContentOptions) {
    this.length = options.length;
    this.#reader = reader;
    this.#options = options;
  }

  /** See {@linkcode Content}. */
  get hasEnded(): boolean {
    return this.#reader.hasEnded;
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    this.#hasBegun = true;
    try {
      return this.#count(this.#reader.arrived());
    } catch (error) {
      this.close(); // nobody can read on
      throw error;
    }
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    const piece = this.arrived();
    if (piece !== undefined || this.hasEnded) return piece;
    this.#isClientAwaited = true;
    this.#options.onWait();
    try {
      return this.#count(await this.#reader.next());
    } catch (error) {
      this.close(); // nobody can read on
      throw error;
    } finally {
      this.#isClientAwaited = false;
      this.#options.onArrival();
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.#isClosed = true;
    this.#closing.resolve();
  }

  /** Is it the client that is waited for, and not the one who reads? */
  get isClientAwaited(): boolean {
    return this.#isClientAwaited;
  }

  /** Does somebody read it, or use its last piece? Then nothing else of the connection may be read. */
  get isInUse(): boolean {
    return this.#hasBegun && !this.#hasToldEnd && !this.#isClosed;
  }

  /** Waits until it is used no more. */
  async closed(): Promise<void> {
    await this.#closing.promise;
  }

  /** Passes over what has arrived of content that nobody began to read. @returns whether that was all. */
  drain(): boolean {
    if (this.#hasBegun) return this.hasEnded;
    try {
      while (this.#count(this.#reader.arrived()) !== undefined);
      return this.hasEnded;
    } catch {
      return false; // nothing can follow content that is not framed as it should be
    }
  }

  #count(piece: Piece | undefined): Piece | undefined {
    this.received += piece?.length ?? 0;
    // not with the last piece: it is in use until the next call
    if (piece === undefined && this.hasEnded && !this.#hasToldEnd) {
      this.#hasToldEnd = true;
      this.#closing.resolve();
      this.#options.onEnd();
    }
    return piece;
  }
}
