import type { Address } from "@pingress/config";
import { ProxyError } from "../errors.ts";
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

/** Options of {@linkcode UpstreamClient}. */
export interface UpstreamClientOptions {
  /** Where connections come from. */
  pool: UpstreamPool;
  /** How long a backend may do nothing before its response starts, in milliseconds. */
  responseTimeout: number;
  /** Told when a backend breaks off in the middle of a response. */
  onBrokenOff?: (error: ProxyError) => void;
}

/** Sends requests to backends: takes the endpoints in turn and passes over those that cannot be reached. */
export class UpstreamClient {
  readonly #pool: UpstreamPool;
  readonly #roundTripOptions: RoundTripOptions;
  readonly #turns = new Map<string, number>();

  /** Makes a client on a pool. */
  constructor({ pool, ...options }: UpstreamClientOptions) {
    this.#pool = pool;
    this.#roundTripOptions = { ...options, release: (connection) => pool.release(connection) };
  }

  /**
   * Sends a request to one of a backend's endpoints.
   *
   * @throws {ProxyError} when none of them answers.
   */
  async send(
    request: UpstreamRequest,
    backend: { key: string; addresses: readonly Address[] },
  ): Promise<UpstreamResponse> {
    let failure = new ProxyError("no_endpoint", `${backend.key}: no ready endpoint`);
    for (const address of this.#inTurn(backend)) {
      try {
        return await this.#sendTo(request, address);
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        failure = error.reason;
      }
    }
    throw failure;
  }

  async #sendTo(request: UpstreamRequest, address: Address): Promise<UpstreamResponse> {
    const kept = this.#pool.take(address);
    if (kept !== undefined) {
      try {
        return await roundTrip(kept, request, this.#roundTripOptions);
      } catch (error) {
        if (!(error instanceof StaleConnectionError)) throw error;
        if (request.body !== null || !IDEMPOTENT_METHODS.has(request.method)) {
          throw new ProxyError("upstream_unreachable", error.message, { cause: error });
        }
      }
    }
    const fresh = await this.#pool.connect(address).catch((error) => {
      throw new ConnectError(error);
    });
    return await roundTrip(fresh, request, this.#roundTripOptions);
  }

  /** The addresses to try, starting with the one whose turn it is. */
  #inTurn({ key, addresses }: { key: string; addresses: readonly Address[] }): Address[] {
    if (addresses.length <= 1) return [...addresses];
    const turn = (this.#turns.get(key) ?? Math.floor(Math.random() * addresses.length)) % addresses.length;
    this.#turns.set(key, turn + 1);
    return [...addresses.slice(turn), ...addresses.slice(0, turn)].slice(0, MAX_ENDPOINTS_TRIED);
  }
}

/** Nothing of the request was sent, so that another endpoint may be tried. */
class ConnectError extends Error {
  readonly reason: ProxyError;

  constructor(reason: ProxyError) {
    super(reason.message);
    this.reason = reason;
  }
}
