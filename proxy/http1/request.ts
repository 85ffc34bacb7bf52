import { NAME_KIND, SPACE, ZERO } from "./characters.ts";
import { FieldName } from "./field_name.ts";
import { Fields, latin1 } from "./fields.ts";
import { contentLengthOf, type Framing, type HeadLines } from "./head.ts";
import { MessageError } from "./message_error.ts";
import type { Output } from "./output.ts";

/** The start of a request. */
export interface RequestHead {
  /** A token, case-sensitive (RFC 9110, section 9.1). */
  method: string;
  /** As sent: in origin-form, absolute-form or asterisk-form (RFC 9112, section 3.2). */
  target: string;
  /** 0 or 1. */
  minorVersion: 0 | 1;
  /** The fields. */
  fields: Fields;
}

const TRANSFER_ENCODING = FieldName.of("transfer-encoding");
const CONNECTION = FieldName.of("connection");

const VERSION = " HTTP/1.1\r\n";
const MAJOR_AT = " HTTP/".length;
const MINOR_AT = " HTTP/1.".length;

/**
 * Reads the head of a request, as {@linkcode HeadReader} finds it.
 *
 * @throws {MessageError} when it is not one (RFC 9112, sections 3 and 5).
 */
export function parseRequestHead(
  { bytes, start, end }: HeadLines,
  { maxTargetBytes }: { maxTargetBytes: number },
): RequestHead {
  let at = start;
  while (NAME_KIND[bytes[at] ?? 0] !== 0) at++;
  const methodEnd = at;
  if (methodEnd === start || bytes[at++] !== SPACE) throw new MessageError("Invalid request line");
  const target = at;
  for (let code = bytes[at] ?? 0; code > SPACE && code < 127; code = bytes[at] ?? 0) at++;
  const targetEnd = at;
  if (target === targetEnd || !isVersion(bytes, at)) throw new MessageError("Invalid request line");
  if (bytes[at + MAJOR_AT] !== ZERO + 1) throw new MessageError("Not HTTP/1", "version_not_supported");
  if (targetEnd - target > maxTargetBytes) {
    throw new MessageError(`The request target is longer than ${maxTargetBytes} bytes`, "target_too_long");
  }
  return {
    method: methodOf(bytes, start, methodEnd),
    target: latin1(bytes, target, targetEnd),
    // a higher minor version is read as the highest one that is known (RFC 9110, section 2.5)
    minorVersion: bytes[at + MINOR_AT] === ZERO ? 0 : 1,
    fields: Fields.parse(bytes, { start: at + VERSION.length, end }),
  };
}

/** Is this the version, with any two digits, and the end of the line? */
function isVersion(bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < VERSION.length; index++) {
    const code = bytes[start + index] ?? 0;
    const isRight = index === MAJOR_AT || index === MINOR_AT
      ? code >= ZERO && code <= ZERO + 9
      : code === VERSION.charCodeAt(index);
    if (!isRight) return false;
  }
  return true;
}

/** No string is made for the method of nearly all requests. */
function methodOf(bytes: Uint8Array, start: number, end: number): string {
  const isGet = end - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 &&
    bytes[start + 2] === 84;
  return isGet ? "GET" : latin1(bytes, start, end);
}

/**
 * Finds how a request's content ends (RFC 9112, section 6.3).
 *
 * @throws {MessageError} when its fields contradict each other, or use a coding other than chunked.
 */
export function requestFraming({ fields, minorVersion }: RequestHead): Framing {
  const length = contentLengthOf(fields);
  const codingOf = fields.get(TRANSFER_ENCODING);
  if (codingOf === undefined) return length === undefined ? NO_CONTENT : { kind: "length", length };
  if (minorVersion === 0) throw new MessageError("Transfer-Encoding in an HTTP/1.0 request");
  if (length !== undefined) throw new MessageError("Both Transfer-Encoding and Content-Length");
  if (fields.count(TRANSFER_ENCODING) > 1) throw new MessageError("Several Transfer-Encoding fields");
  const coding = codingOf.toLowerCase();
  if (coding === "chunked") return { kind: "chunked" };
  // what ends with chunked could be framed, but not decoded (RFC 9112, section 6.1)
  if (
    /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:[\t ]*,[\t ]*[!#$%&'*+\-.^_`|~0-9a-z]+)*[\t ]*,[\t ]*chunked$/.test(coding)
  ) {
    throw new MessageError("A transfer coding other than chunked", "coding_not_supported");
  }
  throw new MessageError("Invalid Transfer-Encoding");
}

/** May another request follow on the connection, as far as the client is concerned (RFC 9112, section 9.3)? */
export function wantsKeepAlive({ fields, minorVersion }: RequestHead): boolean {
  if (!fields.has(CONNECTION)) return minorVersion === 1;
  return !fields.lists(CONNECTION, "close") && (minorVersion === 1 || fields.lists(CONNECTION, "keep-alive"));
}

/** A request, ready to be written. */
export interface OutgoingRequest {
  /** A token. */
  method: string;
  /** In origin-form or asterisk-form. */
  target: string;
  /** Whose it is: written as Host, before all other fields. */
  authority: string;
  /** The fields without Host and without those that frame the content. */
  fields: Fields;
  /** How the content is framed. */
  framing: Framing;
  /** The protocol that the connection is to change to (RFC 9110, section 7.8). */
  upgrade?: string | undefined;
}

/**
 * Writes the head of a request with the framing that was decided for it.
 *
 * @throws {MessageError} for a part that would break out of its place; parsers let none through.
 */
export function writeRequestHead(
  output: Output,
  { method, target, authority, fields, framing, upgrade }: OutgoingRequest,
): void {
  if (target === "" || target.includes(" ")) throw new MessageError("Invalid target");
  output.token(method).text(" ").text(target).text(" HTTP/1.1").lineEnd();
  output.field("host", authority).fields(fields);
  if (upgrade !== undefined) output.field("connection", "upgrade").field("upgrade", upgrade);
  writeFraming(output, framing);
  output.lineEnd();
}

const NO_CONTENT: Framing = { kind: "none" };

/** Writes the field by which the other side finds the end of the content. */
export function writeFraming(output: Output, framing: Framing): void {
  if (framing.kind === "length") output.field("content-length", String(framing.length));
  if (framing.kind === "chunked") output.field("transfer-encoding", "chunked");
}
