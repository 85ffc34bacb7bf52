import {
  type PathMatch,
  type ProxyConfig,
  type Rule,
  type RuleOptions,
  type ServiceBackend,
  serviceKey,
  wildcardOf,
} from "@pingress/config";
import type { Policy } from "./policies/policy.ts";
import type { EndpointProtocol } from "./upstream/endpoint.ts";

/** What kind of host a rule has: a name, a wildcard, or none; or whether it is the default backend. */
export type HostClass = "exact" | "wildcard" | "any" | "default";

/** Where a request goes. */
export interface Route {
  /** The backend as the configuration names it. */
  backend: ServiceBackend;
  /** The backend's key in `endpoints.json`. */
  key: string;
  /** How the backend is spoken to. */
  protocol: EndpointProtocol;
  /** The rule's host, as the configuration names it. */
  host: string | undefined;
  /** What kind of host that is. */
  hostClass: HostClass;
  /** What is done with its requests beyond passing them on. */
  policies: readonly Policy[];
}

/** Makes the policies of a rule. */
export type Compile = (options: RuleOptions) => readonly Policy[];

const NONE: readonly Policy[] = [];

/**
 * All routes, compiled for matching. A table never changes: a new configuration makes a new one.
 *
 * A request takes the most specific host that has a matching path: exact, then wildcard, then none; within a
 * host Exact comes before Prefix and the longest path wins
 * (https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches).
 */
export class RoutingTable {
  readonly #hosts = new Map<string, PathTable>();
  readonly #anyHost = new PathTable();
  readonly #defaultRoute: Route | undefined;

  /**
   * Compiles a configuration; `compile` makes the policies. Where two rules have the same host and path the first
   * one counts.
   */
  constructor(config: ProxyConfig, compile: Compile = () => NONE) {
    for (const rule of config.rules) this.#pathsOf(rule).add(rule.path, routeOf(rule, compile));
    const { defaultBackend } = config;
    this.#defaultRoute = defaultBackend &&
      { ...routeOf({ backend: defaultBackend }, compile), hostClass: "default" };
  }

  /** Finds the route of a canonical host and a path without dot segments; nothing means 404. */
  match(host: string, path: string): Route | undefined {
    return this.#hosts.get(host)?.find(path) ??
      this.#hosts.get(wildcardOf(host) ?? "")?.find(path) ??
      this.#anyHost.find(path) ??
      this.#defaultRoute;
  }

  /** Does any rule for a canonical host, or for any host when none is known, have a backend that speaks gRPC? */
  speaksGrpc(host: string | undefined): boolean {
    if (this.#anyHost.speaksGrpc) return true;
    const tables = host === undefined
      ? this.#hosts.values()
      : [this.#hosts.get(host), this.#hosts.get(wildcardOf(host) ?? "")];
    for (const table of tables) if (table?.speaksGrpc) return true;
    return false;
  }

  #pathsOf(rule: Rule): PathTable {
    if (rule.host === undefined) return this.#anyHost;
    let paths = this.#hosts.get(rule.host);
    if (paths === undefined) this.#hosts.set(rule.host, paths = new PathTable());
    return paths;
  }
}

/** The paths of one host. */
class PathTable {
  speaksGrpc = false;
  readonly #exact = new Map<string, Route>();
  readonly #prefixes = new Map<string, Route>();
  #longestPrefix = 0;

  add({ type, path }: PathMatch, route: Route): void {
    this.speaksGrpc ||= isForGrpc(route.protocol);
    const [paths, key] = type === "Exact"
      ? [this.#exact, path]
      : [this.#prefixes, withoutTrailingSlash(path)];
    if (!paths.has(key)) paths.set(key, route);
    if (type !== "Exact") this.#longestPrefix = Math.max(this.#longestPrefix, key.length);
  }

  find(path: string): Route | undefined {
    return this.#exact.get(path) ?? this.#findPrefix(path);
  }

  /** Prefixes are compared element by element: cut the last element off until what is left is one. */
  #findPrefix(path: string): Route | undefined {
    if (this.#prefixes.size === 0) return undefined;
    let prefix = withoutTrailingSlash(path);
    // however long a path is, only so much of it is worth looking at
    if (prefix.length > this.#longestPrefix) {
      prefix = prefix.slice(0, prefix.lastIndexOf("/", this.#longestPrefix));
    }
    for (;;) {
      const route = this.#prefixes.get(prefix);
      if (route !== undefined || prefix === "") return route;
      prefix = prefix.slice(0, prefix.lastIndexOf("/"));
    }
  }
}

function routeOf(
  { host, backend, options = {} }: Pick<Rule, "host" | "backend" | "options">,
  compile: Compile,
): Route {
  const { backendProtocol = "HTTP", backendServerName, backendVerify = false } = options;
  return {
    backend,
    key: serviceKey(backend),
    protocol: {
      name: backendProtocol,
      verifies: backendVerify,
      ...backendServerName !== undefined && { serverName: backendServerName },
    },
    host,
    hostClass: host === undefined ? "any" : host.startsWith("*.") ? "wildcard" : "exact",
    policies: Object.keys(options).length === 0 ? NONE : compile(options),
  };
}

/** Does this backend speak gRPC? */
export function isForGrpc({ name }: EndpointProtocol): boolean {
  return name === "GRPC" || name === "GRPCS";
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
