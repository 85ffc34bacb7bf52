import type { DownstreamRequest, HeaderList } from "../exchange.ts";
import { withoutConnectionHeaders } from "./connection_headers.ts";
import type { Origin } from "./origin.ts";

/** What only Pingress may tell a backend: a client's own are dropped. */
const OURS = new Set([
  "content-length", // framing is decided anew for every connection
  "expect", // answered by the server
  "forwarded",
  "host",
  "http2-settings",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-request-id",
]);

/** Options of {@linkcode upstreamRequestHeaders}. */
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
 * The header fields for the backend: Host first, what the client sent without the fields of its connection,
 * then who the client is. Names with an underscore are dropped: CGI and WSGI programs take `X_Real_IP` for
 * `X-Real-IP`.
 */
export function upstreamRequestHeaders(
  request: Pick<DownstreamRequest, "authority" | "headers">,
  { origin, requestId, sendsForwarded, maxForwards }: RequestHeadersOptions,
): HeaderList {
  const headers: HeaderList = [["host", request.authority]];
  for (const field of withoutConnectionHeaders(request.headers)) {
    const name = field[0];
    if (OURS.has(name) || name.includes("_")) continue;
    if (name === "max-forwards" && maxForwards !== undefined) headers.push([name, String(maxForwards - 1)]);
    else headers.push(field);
  }
  for (const field of originFields(origin)) headers.push(field);
  headers.push(["x-request-id", requestId]);
  if (sendsForwarded) headers.push(["forwarded", forwarded(origin)]);
  return headers;
}

/** Of each origin, which is the same one for all requests of a connection to a host. */
const known = new WeakMap<Origin, HeaderList>();

function originFields(origin: Origin): HeaderList {
  let fields = known.get(origin);
  if (fields !== undefined) return fields;
  fields = [
    ["x-forwarded-for", origin.chain],
    ["x-forwarded-host", origin.host],
    ["x-forwarded-port", String(origin.port)],
    ["x-forwarded-proto", origin.scheme],
    ["x-real-ip", origin.address],
  ];
  known.set(origin, fields);
  return fields;
}

/**
 * How many times a request may be forwarded yet, where it says so (RFC 9110, section 7.6.2): only OPTIONS does
 * here, for TRACE is refused. At 0 the one who reads it must answer.
 */
export function maxForwards(
  { method, headers }: Pick<DownstreamRequest, "method" | "headers">,
): number | undefined {
  if (method !== "OPTIONS") return undefined;
  const value = headers.find(([name]) => name === "max-forwards")?.[1];
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
export function requestIdOf(headers: HeaderList): string {
  for (const field of headers) {
    if (field[0] === "x-request-id" && /^[\w.:/+=@-]{1,128}$/.test(field[1])) return field[1];
  }
  return crypto.randomUUID();
}
