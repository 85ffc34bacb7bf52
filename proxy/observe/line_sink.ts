/** Where bytes are written, perhaps slowly. */
export interface Writer {
  /** Writes some of `bytes`; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How much may wait to be written, in bytes. */
const MOST_WAITING = 4 * 1024 * 1024;

/**
 * Writes lines in the background. What comes faster than it can be written is dropped and counted: a reader
 * that stalls must never slow requests.
 */
export class LineSink {
  readonly #writer: Writer;
  readonly #mostWaiting: number;
  readonly #waiting: Uint8Array[] = [];
  #bytesWaiting = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;

  /** Writes to `writer`. */
  constructor(writer: Writer, mostWaiting = MOST_WAITING) {
    this.#writer = writer;
    this.#mostWaiting = mostWaiting;
  }

  /** How many lines were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes some lines, each with its line end. */
  write(lines: string): void {
    const bytes = new TextEncoder().encode(lines);
    if (this.#bytesWaiting + bytes.length > this.#mostWaiting) {
      this.#dropped += lines.split("\n").length - 1;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytesWaiting += bytes.length;
    this.#writing ??= this.#writeAll();
  }

  /** Waits until everything is written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      for (let bytes; (bytes = this.#waiting[0]) !== undefined;) {
        for (let written = 0; written < bytes.length;) {
          written += await this.#writer.write(bytes.subarray(written));
        }
        this.#waiting.shift();
        this.#bytesWaiting -= bytes.length;
      }
    } catch {
      // nobody reads any more: what waits is lost, what comes may find a reader again
      for (const bytes of this.#waiting.splice(0)) {
        this.#dropped += bytes.filter((byte) => byte === 10).length;
      }
      this.#bytesWaiting = 0;
    } finally {
      this.#writing = undefined;
    }
  }
}
