import { FieldName } from "./field_name.ts";
import { CR, IS_TEXT, LF, SPACE, ZERO } from "./characters.ts";
import { Fields, quoteLine } from "./fields.ts";
import { contentLengthOf, type Framing, type HeadLines } from "./head.ts";
import { MessageError } from "./message_error.ts";
import type { Output } from "./output.ts";

/** The start of a response. */
export interface ResponseHead {
  /** 0 or 1. */
  minorVersion: number;
  /** From 100 to 599. */
  status: number;
  /** The fields. */
  fields: Fields;
}

const TRANSFER_ENCODING = FieldName.of("transfer-encoding");
const CONNECTION = FieldName.of("connection");

const VERSION = "HTTP/1.";
const STATUS_AT = "HTTP/1.1 ".length;
const REASON_AT = "HTTP/1.1 200".length;

/** Reads the head of a response, as {@linkcode HeadReader} finds it. @throws {MessageError} when it is not one. */
export function parseResponseHead({ bytes, start, end }: HeadLines): ResponseHead {
  let at = start + REASON_AT;
  // some leave out the space with the reason
  if (bytes[at] === SPACE) { while (IS_TEXT[bytes[at] ?? 0] === 1) at++; }
  const status = statusOf(bytes, start);
  if (status === undefined || bytes[at] !== CR || bytes[at + 1] !== LF) {
    throw new MessageError(`Invalid status line ${quoteLine(bytes, start)}`);
  }
  return {
    // a higher minor version is read as the highest one that is known (RFC 9110, section 2.5)
    minorVersion: bytes[start + VERSION.length] === ZERO ? 0 : 1,
    status,
    fields: Fields.parse(bytes, { start: at + 2, end }),
  };
}

function statusOf(bytes: Uint8Array, start: number): number | undefined {
  for (let index = 0; index < VERSION.length; index++) {
    if (bytes[start + index] !== VERSION.charCodeAt(index)) return undefined;
  }
  if (!isDigit(bytes[start + VERSION.length]) || bytes[start + STATUS_AT - 1] !== SPACE) return undefined;
  let status = 0;
  for (let at = start + STATUS_AT; at < start + REASON_AT; at++) {
    const code = bytes[at] ?? 0;
    if (!isDigit(code)) return undefined;
    status = status * 10 + code - ZERO;
  }
  return status >= 100 && status <= 599 ? status : undefined;
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= ZERO && code <= ZERO + 9;
}

/** Does a response have no content, whatever its fields say (RFC 9112, section 6.3)? */
export function isWithoutContent(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || method === "HEAD";
}

/** Finds how a response's content ends. @throws {MessageError} when its fields contradict each other. */
export function responseFraming({ minorVersion, status, fields }: ResponseHead, method: string): Framing {
  const length = contentLengthOf(fields);
  const coding = fields.get(TRANSFER_ENCODING);
  if (coding !== undefined) {
    if (fields.count(TRANSFER_ENCODING) > 1 || coding.toLowerCase() !== "chunked") {
      throw new MessageError(
        `Unsupported Transfer-Encoding ${
          JSON.stringify(fields.values(TRANSFER_ENCODING).join(", ").slice(0, 80))
        }`,
      );
    }
    if (length !== undefined) throw new MessageError("Both Transfer-Encoding and Content-Length");
    if (minorVersion === 0) throw new MessageError("Transfer-Encoding in an HTTP/1.0 response");
  }
  if (isWithoutContent(status, method)) return { kind: "none" };
  if (coding !== undefined) return { kind: "chunked" };
  return length === undefined ? { kind: "until-close" } : { kind: "length", length };
}

/** May the connection be used again after this response (RFC 9112, section 9.3)? */
export function keepsAlive(head: ResponseHead, framing: Framing): boolean {
  return head.minorVersion === 1 && framing.kind !== "until-close" &&
    !head.fields.lists(CONNECTION, "close");
}

const STATUS_TEXTS: Record<number, string> = {
  100: "Continue",
  101: "Switching Protocols",
  103: "Early Hints",
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  417: "Expectation Failed",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  426: "Upgrade Required",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** What every response starts with, whatever comes after it. */
export const RESPONSE_START = "HTTP/1.1 ";

/** Writes a status line; its text has no meaning and may be empty (RFC 9112, section 4). */
export function writeStatusLine(output: Output, status: number): void {
  output.append(STATUS_LINES[status] ??= new TextEncoder().encode(statusLine(status)));
}

/** Made once for each status, of which there are 500. */
const STATUS_LINES: Record<number, Uint8Array> = {};

function statusLine(status: number): string {
  return `${RESPONSE_START}${status} ${STATUS_TEXTS[status] ?? ""}\r\n`;
}
