import { type Address, formatAddress } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Balancer } from "./balancer.ts";
import { type Delivery, mayBeRepeated, USUAL_RETRY } from "./delivery.ts";
import { Endpoint, type EndpointProtocol } from "./endpoint.ts";
import { Http2Endpoint, RefusedStreamError } from "./http2_endpoint.ts";
import { KeptContent } from "./kept_content.ts";
import type { UpstreamPool } from "./pool.ts";
import {
  roundTrip,
  type RoundTripOptions,
  StaleConnectionError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./round_trip.ts";

/** A backend as it is at this moment. */
export interface UpstreamBackend {
  /** Its key in `endpoints.json`. */
  key: string;
  /** Where it is. */
  addresses: readonly Address[];
  /** How it is spoken to. */
  protocol: EndpointProtocol;
  /** How the rule's requests are sent, where that is not the usual way. */
  delivery?: Delivery | undefined;
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
    const { delivery, balancer = this.#options.balancer } = backend;
    const options = delivery === undefined ? this.#options : { ...this.#options, ...delivery.times };
    const retry = delivery?.retry ?? USUAL_RETRY;
    const end = retry.milliseconds === Infinity ? Infinity : performance.now() + retry.milliseconds;
    // the usual one never sends again what was answered
    const noted = retry === USUAL_RETRY ? undefined : new Noted(request);
    const sent = noted?.request ?? request;
    let { addresses } = backend;
    let failure: ProxyError | undefined;
    /** It is to be sent again because of this, which is what comes of it where that cannot be. */
    let response: UpstreamResponse | undefined;
    /** Its kept connection was dead: it gets a fresh one. */
    let dead: Endpoint | undefined;
    for (let attempt = 1;; attempt++) {
      // the pool forgets what nobody uses: those of the last attempt may be others by now
      const endpoints = pool.endpoints(addresses, backend.protocol);
      const endpoint = dead ?? balancer.choose(endpoints, backend.key);
      if (endpoint === undefined) break;
      if (attempts.endpoint !== undefined) attempts.retries++;
      attempts.endpoint = endpoint.name;
      response?.body?.close();
      response = undefined;
      try {
        if (endpoint instanceof Http2Endpoint) {
          response = await sendOverHttp2(endpoint, sent, { options, attempts });
        } else {
          const kept = dead === undefined ? endpoint.takeIdle() : undefined;
          const { connectTimeout } = options;
          const connection = kept ??
            await unsent(endpoint.take({ isFresh: dead !== undefined, connectTimeout }));
          if (request.cancellation.isCancelled) {
            endpoint.release(connection, { isReusable: true });
            throw new ProxyError(
              "client_gone",
              `${endpoint.name}: the client went before the request was sent`,
            );
          }
          response = await roundTrip(connection, sent, options);
        }
        if (noted === undefined || !retry.statuses.has(response.status) || !mayBeRepeated(request, retry)) {
          return response;
        }
      } catch (error) {
        if (error instanceof StaleConnectionError && endpoint instanceof Endpoint) {
          if (!error.isUnsent && !mayBeRepeated(request, retry)) {
            throw new ProxyError("upstream_unreachable", error.message, { cause: error });
          }
          dead = endpoint;
          attempt--;
          continue;
        }
        const isUnsent = error instanceof UnsentError;
        const failed = isUnsent ? error.reason : error;
        if (!(failed instanceof ProxyError)) throw error;
        const counts = isUnsent
          ? retry.unsent.has(failed.reason)
          : retry.sent.has(failed.reason) && mayBeRepeated(request, retry);
        if (!counts) throw failed;
        failure = failed;
      }
      const { isCancelled } = request.cancellation;
      if (attempt >= retry.attempts || isCancelled || noted?.hasTold || performance.now() >= end) break;
      addresses = addresses.filter((address) => formatAddress(address) !== endpoint.name);
      if (addresses.length === 0 && retry.startsOver) ({ addresses } = backend);
      dead = undefined;
    }
    if (response !== undefined) return response;
    throw failure ?? new ProxyError("no_endpoint", `${backend.key}: no ready endpoint`);
  }
}

async function sendOverHttp2(
  endpoint: Http2Endpoint,
  request: UpstreamRequest,
  { options, attempts }: { options: RoundTripOptions; attempts: Attempts },
): Promise<UpstreamResponse> {
  await unsent(endpoint.open(options.connectTimeout));
  const body = request.body && new KeptContent(request.body);
  let again: UpstreamRequest;
  try {
    return await endpoint.send({ ...request, body }, options);
  } catch (error) {
    const rest = body && body.again();
    if (!(error instanceof RefusedStreamError) || rest === undefined) throw error;
    again = { ...request, body: rest };
  }
  attempts.retries++;
  return await endpoint.send(again, options);
}

/** A request, and whether its client has been told anything. */
class Noted {
  readonly request: UpstreamRequest;
  hasTold = false;

  constructor(request: UpstreamRequest) {
    const { inform } = request;
    this.request = inform === undefined ? request : {
      ...request,
      inform: (status, fields) => {
        this.hasTold = true;
        return inform(status, fields);
      },
    };
  }
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
