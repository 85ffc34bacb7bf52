import type { HeaderList } from "../exchange.ts";

/** Fields that belong to one connection (RFC 9110, section 7.6.1). */
const CONNECTION_HEADERS = new Set([
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

function nominatedBy(headers: HeaderList): Set<string> | undefined {
  let nominated: Set<string> | undefined;
  for (const [name, value] of headers) {
    if (name !== "connection") continue;
    nominated ??= new Set();
    for (const option of value.split(",")) nominated.add(option.trim().toLowerCase());
  }
  // content-length says nothing about the connection: a peer cannot have it removed
  nominated?.delete("content-length");
  return nominated;
}
