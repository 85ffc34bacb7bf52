import type { HeaderList } from "../exchange.ts";
import { trimSpace } from "../http1/head.ts";

/** Fields that belong to one connection (RFC 9110, section 7.6.1). */
const CONNECTION_HEADERS = new Set([
  "close",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Drops the fields that belong to the connection, those that its Connection header names among them. */
export function withoutConnectionHeaders(headers: HeaderList): HeaderList {
  const nominated = nominatedBy(headers);
  const kept: HeaderList = [];
  for (const field of headers) {
    if (!CONNECTION_HEADERS.has(field[0]) && nominated?.has(field[0]) !== true) kept.push(field);
  }
  return kept;
}

/** What nearly every Connection field says, and which names no field that is not dropped anyway. */
const USUAL = new Set(["keep-alive", "close", "Keep-Alive", "Close", "upgrade", "Upgrade"]);

function nominatedBy(headers: HeaderList): Set<string> | undefined {
  let nominated: Set<string> | undefined;
  for (const field of headers) {
    if (field[0] !== "connection" || USUAL.has(field[1])) continue;
    nominated ??= new Set();
    for (const option of field[1].split(",")) nominated.add(trimSpace(option).toLowerCase());
  }
  // content-length says nothing about the connection: a peer cannot have it removed
  nominated?.delete("content-length");
  return nominated;
}
