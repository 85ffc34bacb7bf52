import type { HeaderList } from "../exchange.ts";
import { contentLengthOf, type Framing, listHas, parseFields, valuesOf } from "./head.ts";
import { MessageError } from "./message_error.ts";
import type { Output } from "./output.ts";

/** The start of a response. */
export interface ResponseHead {
  /** 0 or 1. */
  minorVersion: number;
  /** From 100 to 599. */
  status: number;
  /** The fields, names in lower case. */
  headers: HeaderList;
}

const STATUS_LINE = /^HTTP\/1\.[0-9] [1-5][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n/;
const STATUS_AT = "HTTP/1.1 ".length;

/** Reads the head of a response, as {@linkcode HeadReader} returns it. @throws {MessageError} when it is not one. */
export function parseResponseHead(head: string): ResponseHead {
  const end = head.indexOf("\r\n");
  if (!STATUS_LINE.test(head)) {
    throw new MessageError(`Invalid status line ${JSON.stringify(head.slice(0, Math.min(end, 80)))}`);
  }
  // a higher minor version is read as the highest one that is known (RFC 9110, section 2.5)
  return {
    minorVersion: head[STATUS_AT - 2] === "0" ? 0 : 1,
    status: Number(head.slice(STATUS_AT, STATUS_AT + 3)),
    headers: parseFields(head, end + 2),
  };
}

/** Does a response have no content, whatever its fields say (RFC 9112, section 6.3)? */
export function isWithoutContent(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 304 || method === "HEAD";
}

/** Finds how a response's content ends. @throws {MessageError} when its fields contradict each other. */
export function responseFraming({ minorVersion, status, headers }: ResponseHead, method: string): Framing {
  const length = contentLengthOf(headers);
  const codings = valuesOf(headers, "transfer-encoding");
  if (codings.length > 0) {
    if (codings.length > 1 || codings[0]?.toLowerCase() !== "chunked") {
      throw new MessageError(
        `Unsupported Transfer-Encoding ${JSON.stringify(codings.join(", ").slice(0, 80))}`,
      );
    }
    if (length !== undefined) throw new MessageError("Both Transfer-Encoding and Content-Length");
    if (minorVersion === 0) throw new MessageError("Transfer-Encoding in an HTTP/1.0 response");
  }
  if (isWithoutContent(status, method)) return { kind: "none" };
  if (codings.length > 0) return { kind: "chunked" };
  return length === undefined ? { kind: "until-close" } : { kind: "length", length };
}

/** May the connection be used again after this response (RFC 9112, section 9.3)? */
export function keepsAlive(head: ResponseHead, framing: Framing): boolean {
  return head.minorVersion === 1 && framing.kind !== "until-close" &&
    !listHas(valuesOf(head.headers, "connection"), "close");
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
  output.text(`${RESPONSE_START}${status} ${STATUS_TEXTS[status] ?? ""}`).lineEnd();
}
