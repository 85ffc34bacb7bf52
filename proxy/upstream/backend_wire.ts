import type { Deadlines, Expiring } from "../deadlines.ts";
import { ProxyError } from "../errors.ts";
import type { Piece } from "../exchange.ts";
import type { Wire } from "../http2/cable.ts";
import type { Transport } from "../transport.ts";

const BUFFER_BYTES = 32 * 1024;

/** Options of {@linkcode BackendWire}. */
export interface BackendWireOptions {
  /** Whose it is, for people. */
  name: string;
  /** Looks after its deadline. */
  deadlines: Deadlines;
  /** How long the backend may take nothing before there is any request, in milliseconds. */
  patience: number;
}

/**
 * The way to a backend that speaks HTTP/2. It is closed when the backend takes nothing for too long: requests
 * that have given up by then cannot even be cancelled, and what was to be sent would stay for ever.
 */
export class BackendWire implements Wire, Expiring {
  /** See {@linkcode Expiring}: there is none but while something is written. */
  deadline = Infinity;
  readonly #transport: Transport;
  readonly #name: string;
  readonly #deadlines: Deadlines;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #patience: number;
  #failure: ProxyError | undefined;

  /** Takes over an open byte stream. */
  constructor(transport: Transport, { name, deadlines, patience }: BackendWireOptions) {
    this.#transport = transport;
    this.#name = name;
    this.#deadlines = deadlines;
    this.#patience = patience;
    deadlines.add(this);
  }

  /** A request begins that waits for so many milliseconds; of all on this way the most patient one counts. */
  bePatient(milliseconds: number): void {
    this.#patience = Math.max(this.#patience, milliseconds);
  }

  /** See {@linkcode Wire}. @throws {ProxyError} once it was closed because the backend takes nothing. */
  async read(): Promise<Piece | undefined> {
    try {
      const count = await this.#transport.read(this.#buffer);
      return count === null ? undefined : this.#buffer.slice(0, count);
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  /** See {@linkcode Wire}. @throws {ProxyError} when it was closed because the backend takes nothing. */
  async write(bytes: Piece): Promise<void> {
    try {
      for (let written = 0; written < bytes.length;) {
        this.deadline = this.#deadlines.now + this.#patience;
        written += await this.#transport.write(bytes.subarray(written));
      }
      this.deadline = Infinity;
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  /** See {@linkcode Wire}. */
  closeWrite(): Promise<void> {
    return this.#transport.closeWrite();
  }

  /** See {@linkcode Wire}. */
  close(): void {
    this.#deadlines.delete(this);
    this.#transport.close();
  }

  /** See {@linkcode Expiring}. */
  expire(): void {
    const seconds = this.#patience / 1000;
    this.#failure = new ProxyError("upstream_timeout", `${this.#name}: took nothing for ${seconds} s`);
    this.close();
  }
}
