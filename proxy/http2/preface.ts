import type { ByteReader } from "../http1/byte_reader.ts";

/** What every HTTP/2 connection begins with (RFC 9113, section 3.4). */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Does a connection begin as one of HTTP/2 does? Nothing of it is taken. */
export async function startsWithPreface(reader: ByteReader): Promise<boolean> {
  for (;;) {
    const bytes = reader.peek().subarray(0, PREFACE.length);
    if (!bytes.every((byte, index) => byte === PREFACE[index])) return false;
    if (bytes.length === PREFACE.length) return true;
    if (!await reader.fill()) return false;
  }
}
