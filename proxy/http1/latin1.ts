import { Buffer } from "node:buffer";

/** Bytes as a string, one character for each byte. TextDecoder's "latin1" is windows-1252 instead. */
export function latin1Decode(bytes: Uint8Array<ArrayBuffer>): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** A string of characters up to U+00FF as bytes. */
export function latin1Encode(text: string): Uint8Array<ArrayBuffer> {
  return Buffer.from(text, "latin1");
}
