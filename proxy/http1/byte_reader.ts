/** Where bytes come from: a connection, or a test. */
export interface ByteSource {
  /** Reads into `into`; resolves to how many bytes, or null at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
}

const CHUNK_BYTES = 32 * 1024;

/** Reads a connection piece by piece, with what was read too far kept for the next one. */
export class ByteReader {
  readonly #source: ByteSource;
  #buffer = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #filling: Promise<boolean> | undefined;
  #received = 0;

  /** Reads from `source`, which nobody else reads any more. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many bytes have arrived and are not taken yet. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** How many bytes have arrived since the last {@linkcode resetReceived}. */
  get received(): number {
    return this.#received;
  }

  /** Starts counting anew, for the next message. */
  resetReceived(): void {
    this.#received = this.buffered;
  }

  /** The bytes that have arrived and are not taken yet. Valid until the next call. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /**
   * Waits for more bytes; false at the end of the stream. A second call before the first one has ended waits
   * for the same bytes.
   */
  fill(): Promise<boolean> {
    this.#filling ??= this.#readMore().finally(() => this.#filling = undefined);
    return this.#filling;
  }

  /** Takes up to `most` of the bytes that have arrived. They are the caller's to keep. */
  take(most: number): Uint8Array<ArrayBuffer> {
    const end = Math.min(this.#end, this.#start + most);
    const bytes = this.#buffer.subarray(this.#start, end);
    this.#start = end;
    return bytes;
  }

  async #readMore(): Promise<boolean> {
    // bytes that were taken belong to their taker, so a buffer is only ever filled up, never filled again
    if (this.#end === this.#buffer.length) {
      const rest = this.peek();
      this.#buffer = new Uint8Array(Math.max(CHUNK_BYTES, rest.length * 2));
      this.#buffer.set(rest);
      this.#start = 0;
      this.#end = rest.length;
    }
    const count = await this.#source.read(this.#buffer.subarray(this.#end));
    if (count === null) return false;
    this.#end += count;
    this.#received += count;
    return true;
  }
}
