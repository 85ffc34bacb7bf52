import type { HeaderList } from "../exchange.ts";
import type { ByteReader } from "./byte_reader.ts";
import { latin1Decode, latin1Encode } from "./latin1.ts";

/** The longest head that is read, in bytes. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** The most header fields that a head may have. */
export const MAX_HEADER_FIELDS = 200;

/** A peer does not speak HTTP/1.1 as RFC 9112 says. */
export class MessageError extends Error {
  override name = "MessageError";
}

/** The start of a response. */
export interface ResponseHead {
  /** The minor version: 0 or 1. */
  minorVersion: number;
  /** From 100 to 599. */
  status: number;
  /** The fields, names in lower case. */
  headers: HeaderList;
}

/** How the end of a message's content is found (RFC 9112, section 6.3). */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; length: number }
  | { kind: "chunked" }
  | { kind: "until-close" };

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Reads the head of a response, up to and with the empty line.
 *
 * @returns nothing when the connection ended before its first byte.
 * @throws {MessageError} for anything that two parsers could read differently: bare line feeds, folded lines,
 * spaces before a colon, control characters; and for a head that is too large.
 */
export async function readResponseHead(reader: ByteReader): Promise<ResponseHead | undefined> {
  const head = await readHead(reader);
  if (head === undefined) return undefined;
  const [statusLine = "", ...fieldLines] = head.split("\r\n");
  const match = STATUS_LINE.exec(statusLine);
  if (match === null) {
    throw new MessageError(`Invalid status line ${JSON.stringify(statusLine.slice(0, 80))}`);
  }
  return { minorVersion: Number(match[1]), status: Number(match[2]), headers: parseFields(fieldLines) };
}

/** Finds how a response's content ends. @throws {MessageError} when its fields contradict each other. */
export function responseFraming(head: ResponseHead, method: string): Framing {
  const codings = valuesOf(head.headers, "transfer-encoding");
  const lengths = valuesOf(head.headers, "content-length");
  if (lengths.length > 1) throw new MessageError("Several Content-Length fields");
  const [length] = lengths;
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) {
    throw new MessageError(`Invalid Content-Length ${JSON.stringify(length.slice(0, 80))}`);
  }
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== "chunked") {
      throw new MessageError(
        `Unsupported Transfer-Encoding ${JSON.stringify(codings.join(", ").slice(0, 80))}`,
      );
    }
    if (length !== undefined) throw new MessageError("Both Transfer-Encoding and Content-Length");
    if (head.minorVersion === 0) throw new MessageError("Transfer-Encoding in an HTTP/1.0 response");
  }
  if (method === "HEAD" || head.status < 200 || head.status === 204 || head.status === 304) {
    return { kind: "none" };
  }
  if (codings.length > 0) return { kind: "chunked" };
  return length === undefined ? { kind: "until-close" } : { kind: "length", length: Number(length) };
}

/** May the connection be used again after this response (RFC 9112, section 9.3)? */
export function keepsAlive(head: ResponseHead, framing: Framing): boolean {
  return head.minorVersion === 1 && framing.kind !== "until-close" &&
    !valuesOf(head.headers, "connection").some((value) => /(?:^|,)\s*close\s*(?:,|$)/i.test(value));
}

/** The start of a request, ready to be written. */
export interface RequestHead {
  /** A token (RFC 9110, section 9.1). */
  method: string;
  /** In origin-form. */
  target: string;
  /** The fields without those that frame the content. */
  headers: HeaderList;
  /** How the content is framed. */
  framing: { kind: "none" } | { kind: "length"; length: number } | { kind: "chunked" };
}

/**
 * Writes the head of a request with the framing that was decided for it.
 *
 * @throws {MessageError} for a part that would break out of its line; parsers let none through.
 */
export function serializeRequestHead(head: RequestHead): Uint8Array<ArrayBuffer> {
  if (!FIELD_NAME.test(head.method) || !/^[\x21-\x7e\x80-\xff]+$/.test(head.target)) {
    throw new MessageError("Invalid method or target");
  }
  let text = `${head.method} ${head.target} HTTP/1.1\r\n`;
  for (const [name, value] of head.headers) {
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) {
      throw new MessageError(`Invalid header field ${name}`);
    }
    text += `${name}: ${value}\r\n`;
  }
  if (head.framing.kind === "length") text += `content-length: ${head.framing.length}\r\n`;
  if (head.framing.kind === "chunked") text += "transfer-encoding: chunked\r\n";
  return latin1Encode(`${text}\r\n`);
}

async function readHead(reader: ByteReader): Promise<string | undefined> {
  for (let searched = 0;;) {
    const bytes = reader.peek();
    const end = indexOfEmptyLine(bytes, Math.max(0, searched - 3));
    if (end !== -1) {
      if (end > MAX_HEAD_BYTES) break;
      return latin1Decode(reader.take(end + 4).subarray(0, end));
    }
    if (bytes.length > MAX_HEAD_BYTES) break;
    searched = bytes.length;
    if (!await reader.fill()) {
      if (searched === 0) return undefined;
      throw new MessageError("The connection ended within the head");
    }
  }
  throw new MessageError(`The head is larger than ${MAX_HEAD_BYTES} bytes`);
}

/** Where `\r\n\r\n` starts, or -1. */
function indexOfEmptyLine(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(13, from); at !== -1; at = bytes.indexOf(13, at + 1)) {
    if (bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

function parseFields(lines: string[]): HeaderList {
  if (lines.length > MAX_HEADER_FIELDS) {
    throw new MessageError(`More than ${MAX_HEADER_FIELDS} header fields`);
  }
  return lines.map((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "");
    // a name with a space before its colon, a folded line and a bare CR or LF all fail here
    if (colon < 1 || !FIELD_NAME.test(name) || !FIELD_VALUE.test(value)) {
      throw new MessageError(`Invalid header line ${JSON.stringify(line.slice(0, 80))}`);
    }
    return [name.toLowerCase(), value];
  });
}

function valuesOf(headers: HeaderList, name: string): string[] {
  return headers.filter((field) => field[0] === name).map((field) => field[1]);
}
