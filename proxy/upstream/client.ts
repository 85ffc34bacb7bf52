import { type Address, formatAddress } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Balancer } from "./balancer.ts";
import { Endpoint, type EndpointProtocol } from "./endpoint.ts";
import { Http2Endpoint, RefusedStreamError } from "./http2_endpoint.ts";
import type { UpstreamPool } from "./pool.ts";
import {
  roundTrip,
  type RoundTripOptions,
  StaleConnectionError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./round_trip.ts";

/** How many endpoints are tried before the client is told that the backend cannot be reached. */
const MAX_ENDPOINTS_TRIED = 3;

/** Methods that may be sent twice (RFC 9110, section 9.2.2). */
const IDEMPOTENT_METHODS = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);

/** A backend as it is at this moment. */
export interface UpstreamBackend {
  /** Its key in `endpoints.json`. */
  key: string;
  /** Where it is. */
  addresses: readonly Address[];
  /** How it is spoken to. */
  protocol: EndpointProtocol;
  /** Chooses among its endpoints, instead of the one for all backends. */
  balancer?: Balancer | undefined;
}

/** What is to be told about a request afterwards. */
export interface Attempts {
  /** The endpoint that was tried last. */
  endpoint?: string;
  /** How often it was sent again. */
  retries: number;
}

/** Options of {@linkcode UpstreamClient}. */
export interface UpstreamClientOptions extends RoundTripOptions {
  /** Where connections come from. */
  pool: UpstreamPool;
  /** Chooses among a backend's endpoints. */
  balancer: Balancer;
}

/** Sends requests to backends, and again where that is safe. */
export class UpstreamClient {
  readonly #options: UpstreamClientOptions;

  /** Makes a client on a pool. */
  constructor(options: UpstreamClientOptions) {
    this.#options = options;
  }

  /**
   * Sends a request to one of a backend's endpoints.
   *
   * @throws {ProxyError} when none of them answers.
   */
  async send(
    request: UpstreamRequest,
    backend: UpstreamBackend,
    attempts: Attempts,
  ): Promise<UpstreamResponse> {
    const { pool } = this.#options;
    const { balancer = this.#options.balancer } = backend;
    let { addresses } = backend;
    let failure: ProxyError | undefined;
    /** Its kept connection was dead: it gets a fresh one. */
    let dead: Endpoint | undefined;
    for (let unreachable = 0; unreachable < MAX_ENDPOINTS_TRIED;) {
      // the pool forgets what nobody uses: those of the last attempt may be others by now
      const endpoints = pool.endpoints(addresses, backend.protocol);
      const endpoint = dead ?? balancer.choose(endpoints, backend.key);
      if (endpoint === undefined) break;
      if (attempts.endpoint !== undefined) attempts.retries++;
      attempts.endpoint = endpoint.name;
      try {
        if (endpoint instanceof Http2Endpoint) return await this.#sendOverHttp2(endpoint, request, attempts);
        const kept = dead === undefined ? endpoint.takeIdle() : undefined;
        const connection = kept ?? await unsent(endpoint.take({ isFresh: dead !== undefined }));
        if (request.cancellation.isCancelled) {
          endpoint.release(connection, { isReusable: true });
          throw new ProxyError(
            "client_gone",
            `${endpoint.name}: the client went before the request was sent`,
          );
        }
        return await roundTrip(connection, request, this.#options);
      } catch (error) {
        if (error instanceof StaleConnectionError && endpoint instanceof Endpoint) {
          if (!mayBeRepeated(request, error)) {
            throw new ProxyError("upstream_unreachable", error.message, { cause: error });
          }
          dead = endpoint;
          continue;
        }
        if (!(error instanceof UnsentError)) throw error;
        unreachable++;
        failure = error.reason;
        addresses = addresses.filter((address) => formatAddress(address) !== endpoint.name);
        dead = undefined;
      }
      if (request.cancellation.isCancelled) break;
    }
    throw failure ?? new ProxyError("no_endpoint", `${backend.key}: no ready endpoint`);
  }

  async #sendOverHttp2(
    endpoint: Http2Endpoint,
    request: UpstreamRequest,
    attempts: Attempts,
  ): Promise<UpstreamResponse> {
    await unsent(endpoint.open());
    try {
      return await endpoint.send(request, this.#options);
    } catch (error) {
      if (!(error instanceof RefusedStreamError)) throw error;
    }
    attempts.retries++;
    return await endpoint.send(request, this.#options);
  }
}

function mayBeRepeated({ body, method }: UpstreamRequest, { isUnsent }: StaleConnectionError): boolean {
  return isUnsent || (body === null && IDEMPOTENT_METHODS.has(method));
}

/** Waits for a connection. @throws {UnsentError} when there is none. */
async function unsent<T>(connecting: Promise<T>): Promise<T> {
  try {
    return await connecting;
  } catch (error) {
    throw error instanceof ProxyError ? new UnsentError(error) : error;
  }
}

/** Nothing of the request was sent, so that another endpoint may be tried. */
class UnsentError extends Error {
  readonly reason: ProxyError;

  constructor(reason: ProxyError) {
    super(reason.message);
    this.reason = reason;
  }
}
