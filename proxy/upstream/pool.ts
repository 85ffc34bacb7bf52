import { createHash } from "node:crypto";
import { type Address, formatAddress } from "@pingress/config";
import { dial } from "./dial.ts";
import { Endpoint, type EndpointOptions, type EndpointProtocol } from "./endpoint.ts";
import { Http2Endpoint } from "./http2_endpoint.ts";

/** Options of {@linkcode UpstreamPool}. */
export type UpstreamPoolOptions = Omit<EndpointOptions, "dial"> & Partial<Pick<EndpointOptions, "dial">>;

/** An endpoint, however it is spoken to. */
export type AnyEndpoint = Endpoint | Http2Endpoint;

const HTTP2: ReadonlySet<EndpointProtocol["name"]> = new Set(["H2C", "GRPC", "GRPCS"]);

/** All endpoints that there is something to remember of. */
export class UpstreamPool {
  readonly #endpoints = new Map<string, AnyEndpoint>();
  #lists = new WeakMap<readonly Address[], { way: string; endpoints: AnyEndpoint[] }>();
  readonly #options: EndpointOptions;
  readonly #sweeper: ReturnType<typeof setInterval>;

  /** Makes an empty pool. */
  constructor(options: UpstreamPoolOptions) {
    this.#options = { dial, ...options };
    this.#sweeper = setInterval(() => this.#sweep(), Math.max(1, options.idleTimeout / 4));
  }

  /** The endpoints at some addresses, in the same order; the answer for the same list is known. */
  endpoints(addresses: readonly Address[], protocol: EndpointProtocol): readonly AnyEndpoint[] {
    const way = wayOf(protocol);
    const known = this.#lists.get(addresses);
    if (known?.way === way) return known.endpoints;
    const endpoints = addresses.map((address) => this.endpoint(address, protocol));
    this.#lists.set(addresses, { way, endpoints });
    return endpoints;
  }

  /** The endpoint at an address, as it is spoken to. */
  endpoint(address: Address, protocol: EndpointProtocol): AnyEndpoint {
    const key = `${wayOf(protocol)} ${formatAddress(address)}`;
    let endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) {
      endpoint = HTTP2.has(protocol.name)
        ? new Http2Endpoint(address, protocol, this.#options)
        : new Endpoint(address, protocol, this.#options);
      this.#endpoints.set(key, endpoint);
    }
    return endpoint;
  }

  /**
   * The names of those that are passed over at this moment. An address that is spoken to in several ways is among them
   * when it cannot be reached in one of them.
   */
  passedOver(): Set<string> {
    const names = new Set<string>();
    for (const endpoint of this.#endpoints.values()) if (endpoint.isPassedOver) names.add(endpoint.name);
    return names;
  }

  /** Closes all connections that wait. */
  close(): void {
    clearInterval(this.#sweeper);
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.#endpoints.clear();
  }

  #sweep(): void {
    for (const [key, endpoint] of this.#endpoints) {
      endpoint.sweep();
      if (!endpoint.isForgettable) continue;
      this.#endpoints.delete(key);
      this.#lists = new WeakMap();
    }
  }
}

/** The way to speak: a connection is used again only for the protocol, name, checks and identity that it has. */
function wayOf(protocol: EndpointProtocol): string {
  if (protocol.name === "HTTP") return "HTTP";
  let way = ways.get(protocol);
  if (way === undefined) {
    const { name, serverName = "", hidesName = false, verifies = false, trust = "", identity } = protocol;
    const { cert = "", key = "" } = identity ?? {};
    way = JSON.stringify([name, serverName, hidesName, verifies, digest(trust), digest(`${cert}\0${key}`)]);
    ways.set(protocol, way);
  }
  return way;
}

/** Protocols are never changed, only replaced. */
const ways = new WeakMap<EndpointProtocol, string>();

/** Stands for a long text, of which nothing can be read from it. */
function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
