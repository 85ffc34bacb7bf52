import { ByteReader } from "../http1/byte_reader.ts";

/** A byte stream to a backend, as `Deno.connect` opens one. */
export interface Transport {
  /** Reads into `into`; resolves to how many bytes, or null at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of `bytes`; resolves to how many. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Closes both directions. */
  close(): void;
}

/** A connection to one endpoint, for one exchange after the other. */
export class UpstreamConnection {
  /** The endpoint, as the pool knows it. */
  readonly endpoint: string;
  /** Reads what the backend sends. */
  readonly reader: ByteReader;
  /** How many exchanges have ended on it. */
  exchanges = 0;
  readonly #transport: Transport;
  #closed = false;

  /** Takes over an open byte stream. */
  constructor(endpoint: string, transport: Transport) {
    this.endpoint = endpoint;
    this.reader = new ByteReader(transport);
    this.#transport = transport;
  }

  /** Writes all of `bytes`. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.#transport.write(written === 0 ? bytes : bytes.subarray(written));
    }
  }

  /** Closes it, once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transport.close();
  }
}
