import { parseAuthority } from "./authority.ts";
import { errorResponse, ProxyError } from "./errors.ts";
import type { DownstreamRequest, DownstreamResponse, Handler } from "./exchange.ts";
import type { FailureLog } from "./failure_log.ts";
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
  /** Told about requests that fail. */
  failures: FailureLog;
}

/** Makes the handler that all listeners share: check, match, filter, forward, filter. */
export function createHandler({ state, upstream, failures }: HandlerOptions): Handler {
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
