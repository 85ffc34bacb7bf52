/** A byte stream in both directions: a TCP connection, the inside of a TLS connection, or a test's script. */
export interface Transport {
  /** Reads into `into`; resolves to how many bytes, or null at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of `bytes`, which must not change meanwhile; resolves to how many. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Says that nothing more is written. */
  closeWrite(): Promise<void>;
  /** Closes both directions; reads and writes under way fail. */
  close(): void;
}

/** Writes all of `bytes`. */
export async function writeAll(to: Pick<Transport, "write">, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await to.write(written === 0 ? bytes : bytes.subarray(written));
  }
}
