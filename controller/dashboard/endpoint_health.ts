import type { EndpointCounts, EndpointView } from "./api.ts";
import type { MetricSample } from "./exposition.ts";

/** The metrics that {@linkcode readPassedOver} reads. */
export const ENDPOINT_METRICS = [
  "pingress_upstream_endpoint_passed_over",
  "pingress_upstream_passed_over_endpoints",
] as const;

/** The longest address of an endpoint that a proxy names, in characters: IPv6 with its brackets and a port. */
const MOST_ADDRESS_CHARACTERS = 64;

/** What a proxy says of the endpoints that it passes over at one moment, since it could not reach them. */
export interface PassedOver {
  /** Those that it names. */
  addresses: ReadonlySet<string>;
  /** Are there more, which it does not name? */
  hasMore: boolean;
}

/** Reads what a proxy says of its endpoints; nothing of one that is too old to say anything of them. */
export function readPassedOver(samples: readonly MetricSample[]): PassedOver | undefined {
  const [named, counted] = ENDPOINT_METRICS;
  const count = samples.find(({ name }) => name === counted)?.value;
  if (count === undefined) return undefined;
  const addresses = new Set<string>();
  for (const { name, labels: { address = "" }, value } of samples) {
    if (name === named && value > 0 && address.length <= MOST_ADDRESS_CHARACTERS) addresses.add(address);
  }
  // what is no number hides something, too
  return { addresses, hasMore: !(count <= addresses.size) };
}

/**
 * What is known of endpoints from what proxies say at one moment: which of them cannot be reached. Of the others it is
 * not known that they can: a proxy finds out only when it has a request for one.
 */
export class EndpointHealth {
  /** How many proxies say which endpoints they pass over. */
  readonly proxies: number;
  readonly #passedOverBy = new Map<string, number>();
  readonly #isComplete: boolean;

  /** Puts together what some proxies say. */
  constructor(said: readonly PassedOver[]) {
    this.proxies = said.length;
    this.#isComplete = said.length > 0 && said.every(({ hasMore }) => !hasMore);
    for (const { addresses } of said) {
      for (const address of addresses) {
        this.#passedOverBy.set(address, (this.#passedOverBy.get(address) ?? 0) + 1);
      }
    }
  }

  /** How many proxies pass over an endpoint; nothing where that is not known. */
  passedOverBy(address: string): number | undefined {
    // what a name leads to, each proxy finds out by itself, and names by its address
    const known = this.#isComplete && IP_ADDRESS.test(address) ? 0 : undefined;
    return this.#passedOverBy.get(address) ?? known;
  }

  /** How many of some endpoints are passed over. */
  count(addresses: readonly string[]): EndpointCounts {
    let [passedOver, unknown] = [0, 0];
    for (const address of addresses) {
      const count = this.passedOverBy(address);
      if (count === undefined) unknown++;
      else if (count > 0) passedOver++;
    }
    return { total: addresses.length, passedOver, unknown };
  }

  /** Each of some endpoints, those first that most proxies pass over. */
  views(addresses: readonly string[]): EndpointView[] {
    return addresses.map((address): EndpointView => {
      const passedOver = this.passedOverBy(address);
      return { address, ...passedOver !== undefined && { passedOver } };
    }).sort((one, other) => (other.passedOver ?? 0) - (one.passedOver ?? 0));
  }
}

const IP_ADDRESS = /^(?:[0-9.]+|\[[^\]]*\]):[0-9]+$/;

/** No proxy has said anything. */
export const NOTHING_KNOWN = new EndpointHealth([]);
