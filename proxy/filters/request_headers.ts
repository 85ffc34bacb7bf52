import type { DownstreamRequest, HeaderList } from "../exchange.ts";
import { FieldName, FieldNames } from "../http1/field_name.ts";
import { Fields } from "../http1/fields.ts";
import { CONNECTION_HEADERS, removeConnectionHeaders } from "./connection_headers.ts";
import type { Origin } from "./origin.ts";

const MAX_FORWARDS = FieldName.of("max-forwards");
const REQUEST_ID = FieldName.of("x-request-id");

/** What only Pingress may tell a backend, and what is about the connection: a client's own are dropped. */
export const NOT_PASSED_ON = new FieldNames([
  ...CONNECTION_HEADERS,
  "content-length", // framing is decided anew for every connection
  "expect", // answered by the server
  "forwarded",
  "host", // written before all others
  "http2-settings",
  "proxy", // CGI programs take it for the proxy that they are to use (https://httpoxy.org)
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-forwarded-scheme", // other proxies tell the scheme by these: whoever reads them must not believe a client
  "x-real-ip",
  "x-request-id",
  "x-scheme",
]);

/** Options of {@linkcode filterRequestHeaders}. */
export interface RequestHeadersOptions {
  /** Where the request comes from. */
  origin: Origin;
  /** The id that logs of all programs share. */
  requestId: string;
  /** Is `Forwarded` sent too (RFC 7239)? */
  sendsForwarded: boolean;
  /** What {@linkcode maxForwards} said. */
  maxForwards?: number | undefined;
}

/**
 * Makes of a client's header fields what the backend gets beside Host: what the client sent without the fields
 * of its connection, then who the client is. Names with an underscore are dropped: CGI and WSGI programs take
 * `X_Real_IP` for `X-Real-IP`.
 */
export function filterRequestHeaders(
  fields: Fields,
  { origin, requestId, sendsForwarded, maxForwards }: RequestHeadersOptions,
): void {
  removeConnectionHeaders(fields, NOT_PASSED_ON);
  fields.removeUnderscored();
  if (maxForwards !== undefined) {
    fields.remove(ONLY_MAX_FORWARDS);
    fields.add("max-forwards", String(maxForwards - 1));
  }
  addOrigin(fields, origin);
  fields.add("x-request-id", requestId);
  if (sendsForwarded) fields.add("forwarded", forwarded(origin));
}

const ONLY_MAX_FORWARDS = new FieldNames(["max-forwards"]);

/**
 * Of each origin, which is the same one for all requests of a connection to a host: written once, which saves a
 * tenth of the proxy's own work. But not for its first request: behind a proxy in front of us each may be for
 * another host, and to write them so costs more than to do without.
 */
const known = new WeakMap<Origin, Fields | "seen">();

function addOrigin(fields: Fields, origin: Origin): void {
  const shared = known.get(origin);
  if (shared instanceof Fields) return fields.share(shared);
  const list = originFields(origin);
  known.set(origin, shared === undefined ? "seen" : Fields.sharing(list));
  for (const [name, value] of list) fields.add(name, value);
}

function originFields({ address, chain, scheme, host, port }: Origin): HeaderList {
  return [
    ["x-forwarded-for", chain],
    ["x-forwarded-host", host],
    ["x-forwarded-port", String(port)],
    ["x-forwarded-proto", scheme],
    ["x-real-ip", address],
  ];
}

/**
 * How many times a request may be forwarded yet, where it says so (RFC 9110, section 7.6.2): only OPTIONS does
 * here, for TRACE is refused. At 0 the one who reads it must answer.
 */
export function maxForwards(
  { method, fields }: Pick<DownstreamRequest, "method" | "fields">,
): number | undefined {
  if (method !== "OPTIONS") return undefined;
  const value = fields.get(MAX_FORWARDS);
  return value !== undefined && /^[0-9]{1,9}$/.test(value) ? Number(value) : undefined;
}

/** The client and what it asked for, as RFC 7239 spells it. */
function forwarded({ address, scheme, host }: Origin): string {
  const node = address.includes(":") ? `"[${address}]"` : address;
  return `for=${node};host="${host}";proto=${scheme}`;
}

/**
 * The id of a request: what the client calls it, if that can be written everywhere, else a new one.
 */
export function requestIdOf(fields: Fields): string {
  return fields.values(REQUEST_ID).find((id) => /^[\w.:/+=@-]{1,128}$/.test(id)) ?? crypto.randomUUID();
}
