import { parseAuthority, parseTarget } from "@pingress/config";
import { ALLOWED_METHODS, errorResponse, ProxyError } from "./errors.ts";
import type { DownstreamRequest, DownstreamResponse, Handler } from "./exchange.ts";
import { removeConnectionHeaders } from "./filters/connection_headers.ts";
import { originOf } from "./filters/origin.ts";
import { filterRequestHeaders, maxForwards, requestIdOf } from "./filters/request_headers.ts";
import { filterResponseHeaders } from "./filters/response_headers.ts";
import { httpDate } from "./http_date.ts";
import { FieldName } from "./http1/field_name.ts";
import { Fields } from "./http1/fields.ts";
import { isGrpc } from "./http2/grpc.ts";
import type { IpRanges } from "./ip_ranges.ts";
import { LimitedContent } from "./limited_content.ts";
import type { ExchangeRecord, Observer } from "./observe/observer.ts";
import type { PolicyExchange } from "./policies/policy.ts";
import { type Destination, isForGrpc, type RoutingTable } from "./routing_table.ts";
import type { Attempts, UpstreamClient } from "./upstream/client.ts";
import type { Balancer } from "./upstream/balancer.ts";
import type { Endpoints } from "./upstream/endpoints.ts";
import type { UpstreamRequest } from "./upstream/round_trip.ts";

const DATE = FieldName.of("date");

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
  /** Told about every exchange. */
  observer: Observer;
  /** The proxies in front of us whose word about the client counts. */
  trustedProxies: IpRanges;
  /** Is `Forwarded` sent too (RFC 7239)? */
  sendsForwarded: boolean;
  /** The largest content of a request, in bytes; 0 for no limit. */
  maxBodyBytes: number;
}

/** Makes the handler that all listeners share: check, match, filter, forward, filter. */
export function createHandler(options: HandlerOptions): Handler {
  const { observer } = options;
  return {
    handle: async (request) => {
      const record = observer.begin(request.client);
      record.request = request;
      let response: DownstreamResponse;
      try {
        const answer = route(request, record, options);
        if ("status" in answer) response = answer;
        else if (answer.route.policies.length > 0) response = await keepPolicies(answer, record, options);
        else response = await forward(answer, record, options);
      } catch (error) {
        response = failure(error, record, { request, observer });
      }
      return finish(response, record, observer);
    },
    refuse: ({ client, reason, detail }) => {
      const record = observer.begin(client);
      record.reason = reason;
      return finish(errorResponse(reason, detail), record, observer);
    },
  };
}

function forward(
  { request, outgoing, destination, balancer, route }: PolicyExchange,
  record: ExchangeRecord,
  options: HandlerOptions,
): Promise<DownstreamResponse> {
  if (isForGrpc(destination.protocol) && !request.takesTrailers && isGrpc(outgoing.fields)) {
    throw request.protocol === "HTTP/2"
      ? new ProxyError("misdirected", "a connection that was made for other things than gRPC")
      : new ProxyError("version_not_supported", "gRPC needs HTTP/2");
  }
  if (outgoing.body !== null) {
    outgoing.body = LimitedContent.of(outgoing.body, route.maxBodyBytes ?? options.maxBodyBytes);
  }
  record.route = destination;
  return send(outgoing, { destination, balancer, attempts: record }, options);
}

/** How {@linkcode send} sends. */
export interface Sending {
  /** Where to. */
  destination: Destination;
  /** Chooses among the endpoints there, instead of the proxy's own way. */
  balancer?: Balancer | undefined;
  /** Takes what is to be told about it. */
  attempts: Attempts;
}

/** Sends a request to a backend, and makes of its answer what clients get. @throws {ProxyError} when none comes. */
export async function send(
  request: UpstreamRequest,
  { destination, balancer, attempts }: Sending,
  { state, upstream }: Pick<HandlerOptions, "state" | "upstream">,
): Promise<DownstreamResponse> {
  const addresses = state().endpoints.of(destination);
  const response = await upstream.send(request, {
    key: destination.key,
    addresses: addresses instanceof Promise ? await addresses : addresses,
    protocol: destination.protocol,
    delivery: destination.delivery,
    balancer,
  }, attempts);
  filterResponseHeaders(response.fields);
  return response;
}

/** Answers a request whose rule says more than where it goes. Answers of our own go through the policies too. */
async function keepPolicies(
  exchange: PolicyExchange,
  record: ExchangeRecord,
  options: HandlerOptions,
): Promise<DownstreamResponse> {
  const { policies } = exchange.route;
  const { observer } = options;
  let response: DownstreamResponse | undefined;
  try {
    for (const policy of policies) {
      response = await policy.request?.(exchange);
      if (response !== undefined) break;
    }
    response ??= await forward(exchange, record, options);
  } catch (error) {
    response = failure(error, record, { request: exchange.request, observer });
  }
  try {
    for (const policy of policies.toReversed()) {
      response = await policy.response?.(response, exchange) || response;
    }
  } catch (error) {
    response = failure(error, record, { request: exchange.request, observer });
  }
  return exchange.ending === undefined ? response : { ...response, done: exchange.ending };
}

function failure(
  error: unknown,
  record: ExchangeRecord,
  { request, observer }: { request: DownstreamRequest; observer: Observer },
): DownstreamResponse {
  if (!request.cancellation.isCancelled) observer.failed(error);
  const { reason, message } = error instanceof ProxyError
    ? error
    : new ProxyError("internal", "a request failed in the proxy itself");
  record.reason = reason;
  return errorResponse(reason, reason === "bad_request" ? message : undefined);
}

function finish(
  { status, fields, body, tunnel, done }: DownstreamResponse,
  record: ExchangeRecord,
  observer: Observer,
): DownstreamResponse {
  record.status = status;
  if (record.reason !== undefined && !fields.has(DATE)) fields.add("date", httpDate());
  return {
    status,
    fields,
    body,
    tunnel,
    done: (outcome) => {
      done?.(outcome);
      observer.finished(record, outcome);
    },
  };
}

/** Finds where a request goes and what is sent there, or answers it. @throws {ProxyError} for what is refused. */
function route(
  request: DownstreamRequest,
  record: ExchangeRecord,
  options: HandlerOptions,
): PolicyExchange | DownstreamResponse {
  const { method, client, fields } = request;
  const { routes } = options.state();
  if (method === "CONNECT" || method === "TRACE") {
    throw new ProxyError("method_not_allowed", `${method} is not served`);
  }
  const authority = parseAuthority(request.authority);
  if (authority === undefined) throw new ProxyError("bad_request", "the Host header is missing or invalid");
  const target = parseTarget(request.target);
  if (typeof target === "string") throw new ProxyError("bad_request", target);
  if (!client.covers(authority.host)) {
    throw new ProxyError("misdirected", "the connection's certificate is not for this host");
  }
  const hops = maxForwards(request);
  if (hops === 0) {
    const fields = Fields.of([["allow", ALLOWED_METHODS]]);
    filterResponseHeaders(fields);
    return { status: 200, fields, body: null };
  }
  const origin = originOf(request, authority, options.trustedProxies);
  const requestId = requestIdOf(fields);
  record.host = authority.host;
  record.path = target.path;
  record.address = origin.address;
  record.requestId = requestId;
  const match = routes.match(authority.host, target.path);
  if (match === undefined) throw new ProxyError("no_route", "no rule matches");
  const { route, groups } = match;
  record.route = route;
  const { sendsForwarded } = options;
  filterRequestHeaders(fields, { origin, requestId, sendsForwarded, maxForwards: hops });
  return {
    request,
    origin,
    authority,
    target,
    requestId,
    route,
    groups,
    outgoing: {
      method,
      target: target.forwarded,
      authority: request.authority,
      fields,
      body: request.body,
      upgrade: request.upgrade,
      cancellation: request.cancellation,
      inform: request.inform && informer(request.inform),
    },
    destination: route,
    balancer: undefined,
    ending: undefined,
  };
}

function informer(
  inform: NonNullable<DownstreamRequest["inform"]>,
): NonNullable<DownstreamRequest["inform"]> {
  return (status, fields) => {
    removeConnectionHeaders(fields);
    return inform(status, fields);
  };
}
