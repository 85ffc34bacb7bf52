import { ERROR_HEADER } from "../errors.ts";
import { httpDate } from "../http_date.ts";
import { FieldName, FieldNames } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import { CONNECTION_HEADERS, removeConnectionHeaders } from "./connection_headers.ts";

const SERVER = FieldName.of("server");
const DATE = FieldName.of("date");
/** Only Pingress says that an answer is its own. */
const NOT_PASSED_ON = new FieldNames([...CONNECTION_HEADERS, ERROR_HEADER]);
/** What a backend may not say behind its content either (RFC 9110, section 6.5.1). */
export const NOT_IN_TRAILERS = new FieldNames([...CONNECTION_HEADERS, ERROR_HEADER, "content-length"]);

/**
 * Makes of a backend's header fields what the client gets: without those of the connection. A message without a
 * date gets one when it is passed on (RFC 9110, section 6.6.1): that of `now`, in milliseconds since 1970.
 */
export function filterResponseHeaders(fields: Fields, now?: number): void {
  removeConnectionHeaders(fields, NOT_PASSED_ON);
  if (!fields.has(DATE)) fields.add("date", httpDate(now));
  if (!fields.has(SERVER)) fields.add("server", "pingress");
}
