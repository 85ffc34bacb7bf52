import type { Transport } from "./transport.ts";

/** What is used of a TCP connection. */
export type TcpConnection = Pick<Deno.TcpConn, "setNoDelay" | "read" | "write" | "closeWrite" | "close">;

/** A TCP connection as a byte stream: what is written is sent at once. */
export class TcpTransport implements Transport {
  readonly #connection: TcpConnection;
  #isClosed = false;

  /** Takes over an open connection. */
  constructor(connection: TcpConnection) {
    this.#connection = connection;
    try {
      connection.setNoDelay(true);
    } catch {
      // not every system lets a connection be set that has just been reset: whoever reads it will be told
    }
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
