import type { DownstreamRequest, HeaderList } from "../exchange.ts";
import type { Authority } from "../authority.ts";
import { withoutConnectionHeaders } from "./connection_headers.ts";

/** What only Pingress may tell a backend: a client's own are dropped. */
const OURS = new Set([
  "content-length", // framing is decided anew for every connection
  "expect", // answered by the server
  "forwarded",
  "host",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
]);

/**
 * The header fields for the backend: Host first, what the client sent without the fields of its connection,
 * then who the client is. Names with an underscore are dropped: CGI and WSGI programs take `X_Real_IP` for
 * `X-Real-IP`.
 */
export function upstreamRequestHeaders(request: DownstreamRequest, authority: Authority): HeaderList {
  const headers: HeaderList = [["host", request.authority]];
  for (const field of withoutConnectionHeaders(request.headers)) {
    if (!OURS.has(field[0]) && !field[0].includes("_")) headers.push(field);
  }
  const port = authority.port ?? (request.scheme === "https" ? 443 : 80);
  headers.push(
    ["x-forwarded-for", request.clientAddress],
    ["x-forwarded-host", request.authority],
    ["x-forwarded-port", String(port)],
    ["x-forwarded-proto", request.scheme],
    ["x-real-ip", request.clientAddress],
  );
  return headers;
}
