import type { Deadlines, Expiring } from "../deadlines.ts";
import type { Client } from "../exchange.ts";
import { ByteReader } from "../http1/byte_reader.ts";
import { type Transport, writeAll } from "../transport.ts";

/** A connection, or what may become one. */
export interface Closable {
  /** Does it wait for its client to begin something, so that it may be closed without loss? */
  readonly isWaiting: boolean;
  /** Since when, in milliseconds of `performance.now()`. */
  readonly waitingSince: number;
  /** Is its client told when the server stops, by the one who speaks its protocol, who ends it then? */
  readonly saysGoodbye?: boolean;
  /** Closes it. */
  close(): void;
}

/** What looks after the connections of a listener. */
export interface ConnectionKeeper {
  /** Looks after their deadlines. */
  readonly deadlines: Deadlines;
  /** All connections, in the order in which they came. */
  readonly connections: Set<Closable>;
}

/** A client's connection, of which a byte stream is left to be spoken on. */
export class Connection implements Expiring, Closable {
  /** Who is at the other end: known better once a PROXY protocol header has been read. */
  client: Client;
  /** Reads what the client sends. */
  readonly reader: ByteReader;
  /** See {@linkcode Closable}. */
  isWaiting = false;
  /** See {@linkcode Closable}. */
  waitingSince = 0;
  /** See {@linkcode Closable}. */
  saysGoodbye = false;
  /** See {@linkcode Expiring}. */
  deadline = Infinity;
  /** What happens at the deadline; the connection is closed unless told. */
  onExpire: () => void = () => this.close();
  readonly #transport: Transport;
  readonly #keeper: ConnectionKeeper;
  #isClosed = false;

  /** Takes over a byte stream. */
  constructor(transport: Transport, client: Client, keeper: ConnectionKeeper) {
    this.client = client;
    this.reader = new ByteReader(transport);
    this.#transport = transport;
    this.#keeper = keeper;
    keeper.deadlines.add(this);
    keeper.connections.add(this);
  }

  /** Was it closed, by whomever? */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sets the deadline to so many milliseconds from now. */
  expireIn(milliseconds: number): void {
    this.deadline = this.#keeper.deadlines.now + milliseconds;
  }

  /** It waits for a request from now on, but for so many milliseconds only. */
  wait(milliseconds: number): void {
    this.isWaiting = true;
    this.waitingSince = this.#keeper.deadlines.now;
    this.expireIn(milliseconds);
  }

  /** See {@linkcode Expiring}. */
  expire(): void {
    this.onExpire();
  }

  /** Writes all of `bytes`, which may make no progress for `timeout` milliseconds. */
  async write(bytes: Uint8Array<ArrayBuffer>, timeout: number): Promise<void> {
    this.expireIn(timeout);
    let written = await this.#transport.write(bytes);
    while (written < bytes.length) {
      this.expireIn(timeout);
      written += await this.#transport.write(bytes.subarray(written));
    }
    this.deadline = Infinity;
  }

  /** Writes bytes that are worth no deadline. */
  async tell(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await writeAll(this.#transport, bytes);
  }

  /** Says that nothing more is written. */
  async closeWrite(): Promise<void> {
    await this.#transport.closeWrite();
  }

  /** Leaves the byte stream to somebody else, who closes it: one that was closed already, too. */
  leave(): void {
    if (!this.#isClosed) this.#end();
  }

  /** Closes it, once. */
  close(): void {
    if (this.#isClosed) return;
    this.#end();
    this.#transport.close();
  }

  #end(): void {
    this.#isClosed = true;
    this.#keeper.deadlines.delete(this);
    this.#keeper.connections.delete(this);
    this.reader.close();
  }
}
