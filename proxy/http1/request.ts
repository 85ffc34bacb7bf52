import type { HeaderList } from "../exchange.ts";
import { contentLengthOf, type Framing, listHas, parseFields, valuesOf } from "./head.ts";
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
  /** The fields, names in lower case. */
  headers: HeaderList;
}

const REQUEST_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21-\x7e]+ HTTP\/[0-9]\.[0-9]\r\n/;
const ZERO = 48;

/**
 * Reads the head of a request, as {@linkcode HeadReader} returns it.
 *
 * @throws {MessageError} when it is not one (RFC 9112, sections 3 and 5).
 */
export function parseRequestHead(head: string, { maxTargetBytes }: { maxTargetBytes: number }): RequestHead {
  // a look at the whole line and two cuts cost less than what matched
  if (!REQUEST_LINE.test(head)) throw new MessageError("Invalid request line");
  const end = head.indexOf("\r\n");
  if (head.charCodeAt(end - 3) !== ZERO + 1) throw new MessageError("Not HTTP/1", "version_not_supported");
  // a higher minor version is read as the highest one that is known (RFC 9110, section 2.5)
  const minorVersion = head.charCodeAt(end - 1) === ZERO ? 0 : 1;
  const space = head.indexOf(" ");
  const method = head.slice(0, space);
  const target = head.slice(space + 1, end - " HTTP/1.1".length);
  if (target.length > maxTargetBytes) {
    throw new MessageError(`The request target is longer than ${maxTargetBytes} bytes`, "target_too_long");
  }
  return { method, target, minorVersion, headers: parseFields(head, end + 2) };
}

/**
 * Finds how a request's content ends (RFC 9112, section 6.3).
 *
 * @throws {MessageError} when its fields contradict each other, or use a coding other than chunked.
 */
export function requestFraming({ headers, minorVersion }: RequestHead): Framing {
  const length = contentLengthOf(headers);
  const codings = valuesOf(headers, "transfer-encoding");
  if (codings.length === 0) {
    return length === undefined ? { kind: "none" } : { kind: "length", length };
  }
  if (minorVersion === 0) throw new MessageError("Transfer-Encoding in an HTTP/1.0 request");
  if (length !== undefined) throw new MessageError("Both Transfer-Encoding and Content-Length");
  if (codings.length > 1) throw new MessageError("Several Transfer-Encoding fields");
  const coding = (codings[0] ?? "").toLowerCase();
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
export function wantsKeepAlive({ headers, minorVersion }: RequestHead): boolean {
  const options = valuesOf(headers, "connection");
  if (options.length === 0) return minorVersion === 1;
  return !listHas(options, "close") && (minorVersion === 1 || listHas(options, "keep-alive"));
}

/** A request, ready to be written. */
export interface OutgoingRequest {
  /** A token. */
  method: string;
  /** In origin-form or asterisk-form. */
  target: string;
  /** The fields without those that frame the content. */
  headers: HeaderList;
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
  { method, target, headers, framing, upgrade }: OutgoingRequest,
): void {
  if (target === "" || target.includes(" ")) throw new MessageError("Invalid target");
  output.token(method).text(" ").text(target).text(" HTTP/1.1").lineEnd();
  for (const field of headers) output.field(field[0], field[1]);
  if (upgrade !== undefined) output.field("connection", "upgrade").field("upgrade", upgrade);
  writeFraming(output, framing);
  output.lineEnd();
}

/** Writes the field by which the other side finds the end of the content. */
export function writeFraming(output: Output, framing: Framing): void {
  if (framing.kind === "length") output.field("content-length", String(framing.length));
  if (framing.kind === "chunked") output.field("transfer-encoding", "chunked");
}
