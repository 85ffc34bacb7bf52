import type { Http2Stream } from "node:http2";
import type { Piece } from "../exchange.ts";
import type { Cable } from "./cable.ts";

/** Writes content to a stream as fast as the other side takes it. */
export class StreamWriter {
  readonly #stream: Http2Stream;
  readonly #cable: Cable;
  #reject: ((error: Error) => void) | undefined;

  /** Writes to a stream of a connection that stands on `cable`. */
  constructor(stream: Http2Stream, cable: Cable) {
    this.#stream = stream;
    this.#cable = cable;
    // what is being written would not be heard of any more
    stream.once("close", () => this.#reject?.(new Error("The stream was closed")));
  }

  /** Writes a piece, which must not change meanwhile, and waits until there is room for more. */
  async write(piece: Piece): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#reject = reject;
    this.#stream.write(piece, (error) => error ? reject(error) : resolve());
    await promise;
    await this.#cable.drained();
  }
}
