import type { DownstreamResponse, HeaderList } from "./exchange.ts";
import { Fields } from "./http1/fields.ts";

/** The header by which a user tells that Pingress answered, not the backend. */
export const ERROR_HEADER = "pingress-error";

/** Why Pingress answers a request itself, with the status and what the client is told. */
const REASONS = {
  bad_request: [400, "the request is malformed"],
  client_gone: [499, "the client has gone"],
  unauthorized: [401, "who asks must say who they are"],
  forbidden: [403, "who asks may not come in"],
  no_route: [404, "no Ingress rule matches this host and path"],
  method_not_allowed: [405, "this method is not served here"],
  client_timeout: [408, "the request did not come in time"],
  body_too_large: [413, "the request's body is too large"],
  target_too_long: [414, "the request target is too long"],
  expectation_failed: [417, "the expectation is not one that can be met"],
  misdirected: [421, "this connection's certificate is not for this host"],
  head_too_large: [431, "the request's header fields are too large"],
  internal: [500, "the proxy failed"],
  auth_failed: [500, "whether who asks may come in cannot be found out"],
  body_not_supported: [501, "a body on this method is not supported"],
  coding_not_supported: [501, "this transfer coding is not supported"],
  upstream_unreachable: [502, "the backend cannot be reached"],
  upstream_invalid: [502, "the backend sent an invalid response"],
  closed: [503, "the Ingress of this host and path has a part that cannot be used"],
  limited: [503, "this client asks too much"],
  no_endpoint: [503, "the backend has no ready endpoint"],
  upstream_busy: [503, "all connections to the backend are in use"],
  upstream_timeout: [504, "the backend did not answer in time"],
  version_not_supported: [505, "this version of HTTP is not supported here"],
} as const satisfies Record<string, [number, string]>;

/** What went wrong, as the value of {@linkcode ERROR_HEADER}. */
export type ErrorReason = keyof typeof REASONS;

/** A request cannot be served. */
export class ProxyError extends Error {
  override name = "ProxyError";
  /** What the client is told. */
  readonly reason: ErrorReason;

  /** The message is for the log, the reason for the client. */
  constructor(reason: ErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/**
 * The small plain answer for a reason. It repeats nothing that the client sent. For a malformed request the
 * detail is added: it names the rule that was broken.
 */
export function errorResponse(reason: ErrorReason, detail?: string): DownstreamResponse {
  const [status, text] = REASONS[reason];
  const line = detail === undefined ? `${status}: ${text}\n` : `${status}: ${text}: ${detail}\n`;
  const headers: HeaderList = [
    ["content-type", "text/plain; charset=utf-8"],
    ["x-content-type-options", "nosniff"],
    ["server", "pingress"],
    [ERROR_HEADER, reason],
  ];
  if (reason === "method_not_allowed") headers.push(["allow", ALLOWED_METHODS]);
  return { status, fields: Fields.of(headers), body: new TextEncoder().encode(line), reason };
}

/** A 405 must say what is allowed (RFC 9110, section 15.5.6): whatever the backend does, but CONNECT and TRACE. */
export const ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
