import { ProxyError } from "../errors.ts";
import type { Content, Piece } from "../exchange.ts";

/** The content of a request as `Deno.serve` delivers it. */
export class StreamContent implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** See {@linkcode Content}. */
  hasEnded = false;
  /** How many bytes have been read. */
  received = 0;
  readonly #reader: ReadableStreamDefaultReader<Piece>;
  readonly #timeout: number;
  #first: Piece | undefined;
  #isClosed = false;

  /** Reads a stream of which a piece may take `timeout` milliseconds. */
  constructor(stream: ReadableStream<Piece>, options: { length: number | undefined; timeout: number }) {
    this.length = options.length;
    this.#reader = stream.getReader();
    this.#timeout = options.timeout;
  }

  /** Waits for the first piece. @returns whether there is one. @throws like {@linkcode next}. */
  async hasAny(): Promise<boolean> {
    this.#first = await this.next();
    return this.#first !== undefined;
  }

  /** See {@linkcode Content}. */
  arrived(): Piece | undefined {
    const first = this.#first;
    this.#first = undefined;
    return first;
  }

  /** See {@linkcode Content}. @throws {ProxyError} when the client sends nothing for too long, or breaks off. */
  async next(): Promise<Piece | undefined> {
    const first = this.arrived();
    if (first !== undefined) return first;
    for (;;) {
      const { done, value } = await this.#read();
      // a stream that is cancelled ends like one that is whole
      if (this.#isClosed) throw new ProxyError("client_gone", "The request's content is read no more");
      if (done) {
        this.hasEnded = true;
        return undefined;
      }
      this.received += value.length;
      if (value.length > 0) return value;
    }
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.#isClosed = true;
    if (!this.hasEnded) this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<ReadableStreamReadResult<Piece>> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new ProxyError("client_timeout", "The content took too long")),
      this.#timeout,
    );
    try {
      return await Promise.race([this.#reader.read(), promise]);
    } catch (cause) {
      throw cause instanceof ProxyError
        ? cause
        : new ProxyError("client_gone", "The request broke off", { cause });
    } finally {
      clearTimeout(timer);
    }
  }
}
