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
  #isWaitedFor = false;
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
    return this.#count(this.#reader.arrived());
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    const piece = this.arrived();
    if (piece !== undefined || this.hasEnded) return piece;
    this.#isWaitedFor = true;
    this.#options.onWait();
    try {
      return this.#count(await this.#reader.next());
    } catch (error) {
      this.close(); // nobody can read on
      throw error;
    } finally {
      this.#options.onArrival();
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.#closing.resolve();
  }

  /** Is somebody reading it, who has not read all of it yet? */
  get isInUse(): boolean {
    return this.#isWaitedFor && !this.hasEnded;
  }

  /** Waits until it is read no more. */
  async closed(): Promise<void> {
    await this.#closing.promise;
  }

  /** Passes over what has arrived of content that nobody began to read. @returns whether that was all. */
  drain(): boolean {
    if (this.#isWaitedFor || this.received > 0) return this.hasEnded;
    try {
      while (this.arrived() !== undefined);
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
      this.#options.onEnd();
    }
    return piece;
  }
}
