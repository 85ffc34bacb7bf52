/**
 * A ClientHello written by hand (RFC 8446, section 4.1.2), so that it can say what no client says. Bytes are
 * texts of as many characters.
 *
 * @module
 */

import { bytesOfNumber } from "./http2_frames.ts";

/** What a ClientHello says. */
export interface HelloOptions {
  /** The version of before TLS 1.3: 0x0303 for TLS 1.2. */
  version?: number;
  /** Is TLS 1.3 offered too? */
  offersTls13?: boolean;
  /** The name that is asked for. */
  serverName?: string;
  /** The protocols that are offered. */
  protocols?: readonly string[];
  /** How many bytes of padding there are (RFC 7685). */
  padding?: number;
  /** How many bytes of it are in a record. */
  recordBytes?: number;
}

/** A text behind its length, which has `size` bytes. */
function vector(text: string, size: number): string {
  return bytesOfNumber(text.length, size) + text;
}

function extension(type: number, content: string): string {
  return bytesOfNumber(type, 2) + vector(content, 2);
}

function numbers(...values: number[]): string {
  return values.map((value) => bytesOfNumber(value, 2)).join("");
}

/** Writes a ClientHello with its records. */
export function clientHello(
  { version = 0x0303, offersTls13 = false, serverName, protocols, padding, recordBytes = 16384 }:
    HelloOptions,
): string {
  const extensions = [
    ...serverName === undefined ? [] : [extension(0, vector(`\0${vector(serverName, 2)}`, 2))],
    extension(10, vector(numbers(0x001d, 0x0017), 2)),
    extension(11, vector("\0", 1)),
    extension(13, vector(numbers(0x0403, 0x0804, 0x0401), 2)),
    ...protocols === undefined
      ? []
      : [extension(16, vector(protocols.map((one) => vector(one, 1)).join(""), 2))],
    ...padding === undefined ? [] : [extension(21, "\0".repeat(padding))],
    ...offersTls13
      ? [
        extension(43, vector(numbers(0x0304, 0x0303), 1)),
        // the base point of X25519 is a key share like any other
        extension(51, vector(numbers(0x001d) + vector(`\x09${"\0".repeat(31)}`, 2), 2)),
      ]
      : [],
  ];
  const body = bytesOfNumber(version, 2) + "r".repeat(32) + vector("", 1) +
    vector(numbers(0x1301, 0xc02b, 0xc02f, 0xc009, 0x00ff), 2) + vector("\0", 1) +
    vector(extensions.join(""), 2);
  const message = `\x01${vector(body, 3)}`;
  let records = "";
  for (let at = 0; at < message.length; at += recordBytes) {
    records += `\x16${numbers(0x0301)}${vector(message.slice(at, at + recordBytes), 2)}`;
  }
  return records;
}
