import type { Transport } from "./transport.ts";

/** A TCP connection as a byte stream. */
export class TcpTransport implements Transport {
  readonly #connection: Deno.TcpConn;
  #isClosed = false;

  /** Takes over an open connection. */
  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** See {@linkcode Transport}. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    return this.#connection.read(into);
  }

  /** See {@linkcode Transport}. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#connection.write(bytes);
  }

  /** See {@linkcode Transport}. */
  closeWrite(): Promise<void> {
    return this.#connection.closeWrite();
  }

  /** See {@linkcode Transport}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }
}
