import { ERROR_HEADER } from "../errors.ts";
import type { HeaderList } from "../exchange.ts";
import { httpDate } from "../http_date.ts";
import { withoutConnectionHeaders } from "./connection_headers.ts";

/**
 * The header fields for the client: what the backend sent without the fields of its connection. Only Pingress
 * says that an answer is its own. A message without a date gets one when it is passed on (RFC 9110, section
 * 6.6.1): that of `now`, in milliseconds since 1970.
 */
export function downstreamResponseHeaders(upstream: HeaderList, now?: number): HeaderList {
  const headers = withoutConnectionHeaders(upstream);
  let hasServer = false;
  let hasDate = false;
  for (let index = 0; index < headers.length; index++) {
    const name = headers[index]?.[0];
    if (name === ERROR_HEADER) headers.splice(index--, 1);
    hasServer ||= name === "server";
    hasDate ||= name === "date";
  }
  if (!hasDate) headers.push(["date", httpDate(now)]);
  if (!hasServer) headers.push(["server", "pingress"]);
  return headers;
}
