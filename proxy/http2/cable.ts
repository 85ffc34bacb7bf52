import { Duplex } from "node:stream";
import type { Piece } from "../exchange.ts";
import { GoawayFilter, joined } from "./goaway_filter.ts";

/** A byte stream that HTTP/2 is spoken on. */
export interface Wire {
  /** The next bytes, which are the reader's own; nothing at the end. */
  read(): Promise<Piece | undefined>;
  /** Writes all of `bytes`. */
  write(bytes: Piece): Promise<void>;
  /** Says that nothing more is written. */
  closeWrite(): Promise<void>;
  /** Closes both directions; reads and writes under way fail. */
  close(): void;
}

/** Options of {@linkcode Cable}. */
export interface CableOptions {
  /** How many bytes come before the first frame. */
  prefaceBytes?: number;
  /** Told instead of Node that the other side begins no more streams, and the last of ours that counts for it. */
  onGoaway?: (lastStream: number) => void;
}

/** How much may wait for the network, in bytes. */
const MOST_UNSENT = 64 * 1024;

type Done = (error?: Error | null) => void;

/**
 * Joins Node's HTTP/2 to a byte stream. Deno's takes whatever it may send as sent, and answers each PING and
 * SETTINGS at once: so nothing is read while the other side takes nothing, and whoever writes content must wait
 * until it is {@linkcode drained}.
 */
export class Cable extends Duplex {
  readonly #wire: Wire;
  readonly #filter: GoawayFilter;
  #drained = Promise.withResolvers<void>();

  /** Joins a byte stream, which is its own from now on. */
  constructor(wire: Wire, { prefaceBytes = 0, onGoaway = () => {} }: CableOptions = {}) {
    // who sends no more has gone
    super({ writableHighWaterMark: MOST_UNSENT, allowHalfOpen: false });
    this.#wire = wire;
    this.#filter = new GoawayFilter(prefaceBytes, onGoaway);
    this.on("drain", () => {
      this.#drained.resolve();
      this.#drained = Promise.withResolvers();
    });
  }

  /** Waits until the other side has taken what was written, or never will. */
  async drained(): Promise<void> {
    if (this.writableNeedDrain && !this.destroyed) await this.#drained.promise;
  }

  /** Waits until all has been written, or cannot be. */
  async flushed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.once("finish", resolve);
    this.once("close", resolve);
    if (this.destroyed || this.writableFinished) resolve();
    this.end();
    await promise;
  }

  /** See `Duplex`. */
  override _read(): void {
    this.#next().then((bytes) => this.push(bytes ?? null), (error) => this.destroy(error));
  }

  /** See `Duplex`. */
  override _write(chunk: Piece, _encoding: string, done: Done): void {
    this.#wire.write(chunk).then(() => done(), done);
  }

  /** See `Duplex`: frames that wait for each other go together. */
  override _writev(chunks: { chunk: Piece }[], done: Done): void {
    const bytes = joined(chunks.map(({ chunk }) => chunk));
    this.#wire.write(bytes).then(() => done(), done);
  }

  /** See `Duplex`. */
  override _final(done: Done): void {
    this.#wire.closeWrite().then(() => done(), done);
  }

  /** See `Duplex`. */
  override _destroy(error: Error | null, done: Done): void {
    this.#drained.resolve();
    this.#wire.close();
    done(error);
  }

  async #next(): Promise<Piece | undefined> {
    for (;;) {
      await this.drained();
      const bytes = await this.#wire.read();
      if (bytes === undefined) return undefined;
      const passed = this.#filter.pass(bytes);
      if (passed.length > 0) return passed;
    }
  }
}
