import type { Log } from "@pingress/config";
import { parseAuthority } from "./authority.ts";
import { errorResponse, ProxyError } from "./errors.ts";
import type { DownstreamRequest, DownstreamResponse, Handler } from "./exchange.ts";
import { upstreamRequestHeaders } from "./filters/request_headers.ts";
import { downstreamResponseHeaders } from "./filters/response_headers.ts";
import { parseTarget } from "./request_target.ts";
import type { RoutingTable } from "./routing_table.ts";
import type { UpstreamClient } from "./upstream/client.ts";
import type { Endpoints } from "./upstream/endpoints.ts";

/** What the handler routes by; read anew for every request, so that a reload counts from the next one on. */
export interface RoutingState {
  /** The routes. */
  readonly routes: RoutingTable;
  /** The backends' addresses. */
  readonly endpoints: Endpoints;
}

/** Options of {@linkcode createHandler}. */
export interface HandlerOptions {
  /** The state of this moment. */
  state: () => RoutingState;
  /** Sends requests to backends. */
  upstream: UpstreamClient;
  /** Told about backends that fail. */
  log: Log;
}

/** Makes the handler that all listeners share: check, match, filter, forward, filter. */
export function createHandler({ state, upstream, log }: HandlerOptions): Handler {
  const failures = new FailureLog(log);
  return async (request) => {
    try {
      return await forward(request, { state: state(), upstream });
    } catch (error) {
      failures.report(error);
      return errorResponse(error instanceof ProxyError ? error.reason : "internal");
    }
  };
}

async function forward(
  request: DownstreamRequest,
  { state, upstream }: { state: RoutingState; upstream: UpstreamClient },
): Promise<DownstreamResponse> {
  const { method, body } = request;
  if (method === "CONNECT" || method === "TRACE") return errorResponse("method_not_allowed");
  const authority = parseAuthority(request.authority);
  if (authority === undefined) return errorResponse("bad_request", "the Host header is missing or invalid");
  const target = parseTarget(request.target);
  if (typeof target === "string") return errorResponse("bad_request", target);
  const route = state.routes.match(authority.host, target.path);
  if (route === undefined) return errorResponse("no_route");
  const response = await upstream.send({
    method,
    target: target.forwarded,
    headers: upstreamRequestHeaders(request, authority),
    body,
    contentLength: request.contentLength,
    signal: request.signal,
  }, { key: route.key, addresses: state.endpoints.of(route) });
  return {
    status: response.status,
    headers: downstreamResponseHeaders(response.headers),
    body: response.body,
  };
}

/** How often the same failure is told, in milliseconds. */
const FAILURE_INTERVAL = 10_000;

/** How many failures are remembered; more than that at a time need no telling one by one. */
const MAX_FAILURES = 1000;

/** Tells of backends that fail, each failure once in a while: a log line for every request would be a flood. */
class FailureLog {
  readonly #log: Log;
  readonly #told = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  report(error: unknown): void {
    if (!(error instanceof ProxyError)) {
      const stack = error instanceof Error ? error.stack : String(error);
      this.#log.error("A request failed in the proxy itself", { error: stack });
    } else if (error.reason !== "bad_request" && this.#isDue(error.message)) {
      this.#log.warn("Requests fail", { reason: error.reason, error: error.message });
    }
  }

  #isDue(message: string): boolean {
    const now = performance.now();
    if (now - (this.#told.get(message) ?? -Infinity) < FAILURE_INTERVAL) return false;
    if (this.#told.size >= MAX_FAILURES) this.#told.clear();
    this.#told.set(message, now);
    return true;
  }
}
