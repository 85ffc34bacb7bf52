import { ProxyError } from "./errors.ts";
import type { Content, Piece } from "./exchange.ts";

/** Content that may have so many bytes and no more. */
export class LimitedContent implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** See {@linkcode Content}. */
  readonly trailers: Content["trailers"];
  readonly #content: Content;
  readonly #most: number;
  #read = 0;

  private constructor(content: Content, most: number) {
    this.length = content.length;
    this.trailers = content.trailers && (() => content.trailers?.());
    this.#content = content;
    this.#most = most;
  }

  /**
   * Limits content to `most` bytes, 0 for no limit.
   *
   * @throws {ProxyError} when it says itself that it is larger; reading it throws when it turns out to be.
   */
  static of(content: Content, most: number): Content {
    if (most === 0) return content;
    if ((content.length ?? 0) > most) throw tooLarge(most);
    return new LimitedContent(content, most);
  }

  /** See {@linkcode Content}. */
  get hasEnded(): boolean {
    return this.#content.hasEnded;
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    return this.#count(this.#content.arrived());
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    return this.#count(await this.#content.next());
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.#content.close();
  }

  #count(piece: Piece | undefined): Piece | undefined {
    this.#read += piece?.length ?? 0;
    if (this.#read > this.#most) throw tooLarge(this.#most);
    return piece;
  }
}

function tooLarge(most: number): ProxyError {
  return new ProxyError("body_too_large", `the content is larger than ${most} bytes`);
}
