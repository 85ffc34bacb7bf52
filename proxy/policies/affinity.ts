import type { CookieAffinity, RuleOptions, ServiceBackend } from "@pingress/config";
import { type Balancer, type Candidate, createBalancer, reachable } from "../upstream/balancer.ts";
import { highestFor } from "../upstream/rendezvous.ts";
import type { Policy, PolicyEnvironment } from "./policy.ts";
import { backendId, endpointId, sessionOf, setSessionCookie, USER_AGENT } from "./session_cookie.ts";

/** Sends a client to the same endpoint again, which a cookie remembers. */
export function affinityPolicy(
  { affinity, canary, balance = "least-requests" }: RuleOptions,
  { now, random }: PolicyEnvironment,
): Policy | undefined {
  if (affinity === undefined) return undefined;
  const balancer = createBalancer(balance, random);
  /** The backends of the rule by their keys: there are two of them at most. */
  const places = new Map<string, Places>();
  return {
    request: (exchange) => {
      const { destination, route, request: { fields } } = exchange;
      if (canary?.ignoresAffinity && destination.key !== route.key) return undefined;
      let own = places.get(destination.key);
      if (own === undefined) {
        own = affinity.isPersistent
          ? new NamedPlaces(destination.backend, balancer)
          : new HashedPlaces(destination.backend);
        places.set(destination.key, own);
      }
      exchange.balancer = new Bound(own, affinity, own.keyOf(sessionOf(fields, affinity)));
      return undefined;
    },
    response: ({ fields, reason }, { balancer, origin, request }) => {
      // nobody is to be bound to an endpoint that does not answer
      if (!(balancer instanceof Bound) || balancer.newSession === undefined || reason !== undefined) return;
      const { scheme } = origin;
      const options = {
        isHttps: scheme === "https",
        now: now(),
        userAgent: request.fields.get(USER_AGENT),
      };
      fields.add("set-cookie", setSessionCookie(balancer.newSession, affinity, options));
    },
  };
}

/** Chooses for one request of a client. */
class Bound implements Balancer {
  /** What the client is to be told, if that is something new. */
  newSession: { key: string; backend: string } | undefined;
  readonly #places: Places;
  readonly #affinity: CookieAffinity;
  #key: string | undefined;
  #all: readonly Candidate[] | undefined;

  constructor(places: Places, affinity: CookieAffinity, key: string | undefined) {
    this.#places = places;
    this.#affinity = affinity;
    this.#key = key;
  }

  /** The next call for the same request has no more those that could not be reached. */
  choose<T extends Candidate>(endpoints: readonly T[]): T | undefined {
    this.#all ??= endpoints;
    const bound = this.#key === undefined ? undefined : this.#places.find(this.#all, this.#key);
    if (bound !== undefined) {
      const endpoint = endpoints.find(({ name }) => name === bound.name);
      const mayMove = this.#affinity.changesOnFailure === true || this.newSession !== undefined;
      if (!mayMove || (endpoint !== undefined && reachable(endpoints).includes(endpoint))) return endpoint;
    }
    const place = this.#places.choose(endpoints, this.#all);
    this.#key = place?.key;
    this.newSession = place?.key === undefined
      ? undefined
      : { key: place.key, backend: this.#places.backend };
    return place?.endpoint;
  }
}

/** How keys lead to the endpoints of a backend. */
abstract class Places {
  /** How cookies name the backend. */
  readonly backend: string;

  constructor(backend: ServiceBackend) {
    this.backend = backendId(backend);
  }

  /** What a client's cookie says, unless that is of another backend. */
  keyOf(session: { key: string; backend: string | undefined } | undefined): string | undefined {
    return session?.backend === undefined || session.backend === this.backend ? session?.key : undefined;
  }

  /** The endpoint for a key. */
  abstract find<T extends Candidate>(all: readonly T[], key: string): T | undefined;

  /** One of `endpoints`, and a key that leads to it among all. */
  abstract choose<T extends Candidate>(
    endpoints: readonly T[],
    all: readonly Candidate[],
  ): { endpoint: T; key: string | undefined } | undefined;
}

/** Each endpoint has one key: whoever has it stays. */
class NamedPlaces extends Places {
  readonly #service: ServiceBackend;
  readonly #balancer: Balancer;
  readonly #ids = new Map<string, string>();

  constructor(backend: ServiceBackend, balancer: Balancer) {
    super(backend);
    this.#service = backend;
    this.#balancer = balancer;
  }

  find<T extends Candidate>(all: readonly T[], key: string): T | undefined {
    return all.find(({ name }) => this.#idOf(name) === key);
  }

  choose<T extends Candidate>(endpoints: readonly T[]): { endpoint: T; key: string } | undefined {
    const endpoint = this.#balancer.choose(endpoints, this.backend);
    return endpoint && { endpoint, key: this.#idOf(endpoint.name) };
  }

  #idOf(name: string): string {
    let id = this.#ids.get(name);
    if (id !== undefined) return id;
    if (this.#ids.size === MOST_IDS) this.#ids.clear();
    this.#ids.set(name, id = endpointId(this.#service, name));
    return id;
  }
}

/** Addresses come and go for as long as a configuration lasts. */
const MOST_IDS = 10_000;

/** Every key leads to some endpoint: where there is one more, or one less, some clients move. */
class HashedPlaces extends Places {
  find<T extends Candidate>(all: readonly T[], key: string): T | undefined {
    return highestFor(all, key);
  }

  choose<T extends Candidate>(
    endpoints: readonly T[],
    all: readonly Candidate[],
  ): { endpoint: T; key: string | undefined } | undefined {
    const candidates = reachable(endpoints);
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const key = crypto.randomUUID();
      const found = highestFor(all, key);
      const endpoint = candidates.find(({ name }) => name === found?.name);
      if (endpoint !== undefined) return { endpoint, key };
    }
    // nearly none of many can be reached: the client is bound another time
    const [endpoint] = candidates;
    return endpoint && { endpoint, key: undefined };
  }
}

const MOST_ATTEMPTS = 20;
