import type { Deadlines, Expiring } from "../deadlines.ts";
import { ByteReader } from "../http1/byte_reader.ts";
import { HeadReader } from "../http1/head.ts";
import { parseResponseHead, type ResponseHead } from "../http1/response.ts";
import { type Transport, writeAll } from "../transport.ts";
import type { Endpoint } from "./endpoint.ts";

/** The longest head of a response, in bytes. */
const MAX_HEAD_BYTES = 64 * 1024;

/** A connection to one endpoint, for one exchange after the other. */
export class UpstreamConnection implements Expiring {
  /** Whose it is. */
  readonly endpoint: Endpoint;
  /** Its byte stream. */
  readonly transport: Transport;
  /** Reads what the backend sends. */
  readonly reader: ByteReader;
  /** Reads the heads of its responses. */
  readonly heads: HeadReader<ResponseHead>;
  /** How many exchanges have ended on it. */
  exchanges = 0;
  /** Does it wait for its next exchange? */
  isIdle = false;
  /** When it began to wait for its next exchange, on the clock of {@linkcode Deadlines.now}. */
  idleSince = 0;
  /** See {@linkcode Expiring}; it is closed then. */
  deadline = Infinity;
  /** Was it closed because of its deadline? */
  isExpired = false;
  readonly #deadlines: Deadlines;
  readonly #onArrival = () => {
    if (this.isIdle) this.endpoint.drop(this);
  };
  #isClosed = false;

  /** Takes over an open byte stream. */
  constructor(transport: Transport, endpoint: Endpoint, deadlines: Deadlines) {
    this.endpoint = endpoint;
    this.transport = transport;
    this.reader = new ByteReader(transport);
    this.heads = new HeadReader(this.reader, { maxBytes: MAX_HEAD_BYTES, parse: parseResponseHead });
    this.#deadlines = deadlines;
    deadlines.add(this);
  }

  /** Was it closed, by this side? */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sets the deadline to so many milliseconds from now. */
  expireIn(milliseconds: number): void {
    this.deadline = this.#deadlines.now + milliseconds;
  }

  /** See {@linkcode Expiring}. */
  expire(): void {
    this.isExpired = true;
    this.close();
  }

  /** It waits for its next exchange: what comes before that belongs to none. */
  wait(): void {
    this.isIdle = true;
    this.idleSince = this.#deadlines.now;
    this.reader.watch(this.#onArrival);
  }

  /** Writes all of `bytes`. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return writeAll(this.transport, bytes);
  }

  /** Closes it, once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadlines.delete(this);
    this.reader.close();
    this.transport.close();
  }
}
