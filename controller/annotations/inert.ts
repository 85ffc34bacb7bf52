import { accessInert } from "./access.ts";
import type { Inert } from "./feature.ts";

/** Directives of nginx that have no say in who may come in, nor in what the backend is told. */
const HARMLESS = new Set([
  ...["access_log", "add_header", "charset", "chunked_transfer_encoding", "client_body_buffer_size"],
  ...["client_body_timeout", "client_header_timeout", "client_max_body_size", "default_type", "error_log"],
  ...["etag", "expires", "gzip", "gzip_comp_level", "gzip_min_length", "gzip_types", "keepalive_requests"],
  ...["keepalive_timeout", "large_client_header_buffers", "log_not_found", "more_set_headers"],
  ...["proxy_buffer_size", "proxy_buffering", "proxy_buffers", "proxy_busy_buffers_size"],
  ...["proxy_connect_timeout", "proxy_http_version", "proxy_max_temp_file_size", "proxy_read_timeout"],
  ...["proxy_request_buffering", "proxy_send_timeout", "send_timeout", "tcp_nodelay"],
]);

/** May a snippet say who may come in, or what a backend believes? Whatever is not known to be harmless may. */
function mayGuard(snippet: string): boolean {
  const plain = snippet.replace(/(?<=\s)(?:"[^"\\]*"|'[^'\\]*')|(?<=^|[\s;])#.*/g, "");
  return plain.split(";").map((directive) => directive.trim())
    .some((directive) => directive !== "" && (/[{}"'\\]/.test(directive) || !HARMLESS.has(word(directive))));
}

function word(directive: string): string {
  return directive.split(/\s/, 1)[0] ?? "";
}

const isEmpty = (text: string) => text === "";
const isOff = (text: string) => ["", "0", "f", "F", "FALSE", "false", "False", "off"].includes(text);
const always = () => true;

function refused(why: string, closes?: (text: string) => boolean): Inert {
  return { kind: "refused", why, asksNothing: isOff, ...closes !== undefined && { closes } };
}

function unsupported(why: string, asksNothing: (text: string) => boolean = isOff): Inert {
  return { kind: "unsupported", why, asksNothing };
}

function accepted(why: string): Inert {
  return { kind: "accepted", why };
}

function each(names: string[], inert: Inert): Record<string, Inert> {
  return Object.fromEntries(names.map((name) => [name, inert]));
}

const SNIPPET = "Pingress takes no text for a configuration of another program";
const MEMORY = accepted("a matter of how nginx uses memory: Pingress passes everything on as it comes");
const WAF =
  "Pingress has no web application firewall: put one before or behind it, and remove the annotation";
const REMOVED = "it is gone from ingress-nginx, too: remove it";

/** What is known of ingress-nginx and does nothing, by name without prefix. */
export const INERT: Readonly<Record<string, Inert>> = {
  // another program's text
  ...each(
    ["configuration-snippet", "server-snippet"],
    refused(`${SNIPPET}: use the annotation for what it does`, mayGuard),
  ),
  "stream-snippet": refused(`${SNIPPET}: remove it`),
  ...each(
    ["enable-modsecurity", "enable-owasp-core-rules", "modsecurity-snippet"],
    refused(WAF, always),
  ),
  "modsecurity-transaction-id": unsupported(WAF, isEmpty),
  ...each(
    [
      ...["lua-resty-waf", "lua-resty-waf-debug", "lua-resty-waf-ignore-rulesets"],
      ...["lua-resty-waf-extra-rules", "lua-resty-waf-allow-unknown-content-types"],
      ...["lua-resty-waf-score-threshold", "lua-resty-waf-process-multipart-body"],
    ],
    unsupported(REMOVED),
  ),
  // FastCGI is no HTTP
  ...each(
    ["fastcgi-index", "fastcgi-params-configmap"],
    unsupported(
      "Pingress speaks HTTP to backends, not FastCGI: put a web server before the backend",
      isEmpty,
    ),
  ),
  // copies of requests
  ...each(
    ["mirror-target", "mirror-request-body", "mirror-host"],
    unsupported("Pingress sends no copies of requests", isEmpty),
  ),
  // what backends say
  ...each(
    ["proxy-cookie-domain", "proxy-cookie-path"],
    unsupported("cookies of backends are passed on as they are: let the backend set the right ones"),
  ),
  ...each(
    ["proxy-redirect-from", "proxy-redirect-to"],
    unsupported(
      "Location is passed on as it is: let the backend use X-Forwarded-Host and X-Forwarded-Proto",
      (text) => isOff(text) || text === "default",
    ),
  ),
  ...each(
    ["relative-redirects", "use-port-in-redirects"],
    unsupported("redirects name the whole host, and no port: clients come by 80 and 443"),
  ),
  // connections
  "ssl-passthrough": {
    kind: "unsupported",
    why:
      "Pingress ends TLS itself, and what is behind it would be less than was asked for: use backend-protocol",
    asksNothing: isOff,
    closes: always,
  },
  "connection-proxy-header": unsupported(
    "connections to backends are kept and closed as HTTP has it, and WebSockets are passed on",
    (text) => text === "keep-alive",
  ),
  "proxy-http-version": unsupported("backends are spoken to by HTTP/1.1", (text) => text === "1.1"),
  "ssl-ciphers": unsupported(
    "TLS is 1.3, or 1.2 with forward secrecy and authenticated encryption, whatever it says",
    isEmpty,
  ),
  "proxy-ssl-ciphers": unsupported(
    "backends are offered the cipher suites that are taken to be safe",
    isEmpty,
  ),
  "proxy-ssl-protocols": unsupported("backends are offered TLS 1.2 and TLS 1.3", isEmpty),
  "proxy-ssl-verify-depth": unsupported(
    "a backend's chain may have any length, as long as it ends with a certificate of the Secret",
    isEmpty,
  ),
  ...each(
    ["upstream-hash-by-subset", "upstream-hash-by-subset-size"],
    unsupported("with upstream-hash-by there is always one endpoint for a text, not a set of them"),
  ),
  "ssl-prefer-server-ciphers": accepted("every cipher that is offered is good: the client's choice counts"),
  "http2-push-preload": accepted(
    "no browser takes what is pushed any more, and nginx pushes nothing since 1.25",
  ),
  // tracing
  ...each(
    [
      ...["enable-opentelemetry", "opentelemetry-trust-incoming-span", "opentelemetry-operation-name"],
      ...["enable-opentracing", "opentracing-trust-incoming-span"],
    ],
    unsupported(
      "Pingress makes no spans; traceparent and its like are passed on, X-Request-ID is in the access log",
    ),
  ),
  "enable-rewrite-log": accepted("Pingress has no log of rewrites: `pingress check` shows where requests go"),
  "rewrite-log": accepted("Pingress has no log of rewrites: `pingress check` shows where requests go"),
  // memory
  ...each([
    ...["client-body-buffer-size", "proxy-buffer-size", "proxy-buffers", "proxy-buffers-number"],
    ...["proxy-busy-buffers-size", "proxy-max-temp-file-size"],
  ], MEMORY),
  // gone from ingress-nginx as well
  ...each([
    ...["global-rate-limit", "global-rate-limit-window", "global-rate-limit-key"],
    ...["global-rate-limit-header-based", "global-rate-limit-ignored-cidrs"],
  ], unsupported(`${REMOVED}, and use limit-rps or limit-rpm, which count in each proxy`, isEmpty)),
  ...each(
    ["secure-backends", "grpc-backend"],
    unsupported("it is gone from ingress-nginx, too: say backend-protocol instead"),
  ),
  "secure-verify-ca-secret": unsupported("it is gone from ingress-nginx, too: say proxy-ssl-secret instead"),
  "session-cookie-hash": accepted(
    "nobody but Pingress reads its cookies: how they are made makes no difference",
  ),
  ...each(
    ["add-base-url", "base-url-scheme"],
    unsupported("answers are passed on as they are, and it is gone from ingress-nginx, too: remove it"),
  ),
  ...each(
    ["upstream-max-fails", "upstream-fail-timeout"],
    unsupported(`an endpoint that cannot be reached is passed over for a while anyway; ${REMOVED}`, isEmpty),
  ),
  ...each(
    ["enable-influxdb", "influxdb-measurement", "influxdb-port", "influxdb-host", "influxdb-server-name"],
    unsupported(`${REMOVED}; metrics are at /metrics`),
  ),
  ...accessInert,
};
