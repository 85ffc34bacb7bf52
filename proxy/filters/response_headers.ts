import { ERROR_HEADER } from "../errors.ts";
import type { HeaderList } from "../exchange.ts";
import { withoutConnectionHeaders } from "./connection_headers.ts";

/**
 * The header fields for the client: what the backend sent without the fields of its connection. Only Pingress
 * says that an answer is its own.
 */
export function downstreamResponseHeaders(upstream: HeaderList): HeaderList {
  const headers = withoutConnectionHeaders(upstream).filter(([name]) => name !== ERROR_HEADER);
  if (!headers.some(([name]) => name === "server")) headers.push(["server", "pingress"]);
  return headers;
}
