import {
  ComparedPath,
  type Groups,
  type PathMatch,
  PathRegex,
  type ProxyConfig,
  type Rule,
  type RuleOptions,
  type ServiceBackend,
  serviceKey,
  wildcardOf,
} from "@pingress/config";
import { ProxyError } from "./errors.ts";
import type { Policies } from "./policies/policy.ts";
import { type Delivery, deliveryOf } from "./upstream/delivery.ts";
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
  /** What is done with its requests beyond passing them on, if anything is. */
  policies?: Policies | undefined;
  /** How they are sent, where that is not the proxy's own way. */
  delivery?: Delivery | undefined;
  /** Their largest content in bytes, where that is not the proxy's own; 0 for no limit. */
  maxBodyBytes?: number | undefined;
  /** Are they in the access log, if there is one? They are unless told. */
  isLogged?: boolean | undefined;
}

/** A route that takes a path. */
export interface RouteMatch {
  /** Where the request goes. */
  readonly route: Route;
  /** Tells what the groups of a `Regex` path took, from `$1` on. */
  readonly groups: Groups;
}
/** Where requests can be sent. */
export type Destination = Pick<Route, "backend" | "key" | "protocol" | "delivery">;

/** Makes the policies of a rule, if it has any. */
export type Compile = (options: RuleOptions) => Policies | undefined;

const NO_GROUPS: Groups = () => [];

/**
 * All routes, compiled for matching. A table never changes: a new configuration makes a new one.
 *
 * A request takes the most specific host that has a matching path: exact, then wildcard, then none; within a
 * host Exact comes before Prefix and the longest path wins
 * (https://kubernetes.io/docs/concepts/services-networking/ingress/#multiple-matches). A Regex is as long as its
 * text, whatever it takes; a Prefix comes before a Regex of the same length.
 */
export class RoutingTable {
  readonly #hosts = new Map<string, PathTable>();
  readonly #anyHost = new PathTable();
  readonly #default: RouteMatch | undefined;

  /**
   * Compiles a configuration; `compile` makes the policies. Where two rules have the same host and path the first
   * one counts.
   */
  constructor(config: ProxyConfig, compile: Compile = () => undefined) {
    for (const rule of config.rules) this.#pathsOf(rule).add(rule.path, routeOf(rule, compile));
    const { defaultBackend, defaultOptions = {} } = config;
    this.#default = defaultBackend && {
      route: {
        ...routeOf({ backend: defaultBackend, options: defaultOptions }, compile),
        hostClass: "default",
      },
      groups: NO_GROUPS,
    };
  }

  /**
   * Finds the route of a canonical host and a path without dot segments; nothing means 404.
   *
   * @throws {ProxyError} for a path that is too long to be compared with the Regex paths in question.
   */
  match(host: string, path: string): RouteMatch | undefined {
    return this.#hosts.get(host)?.find(path) ??
      this.#hosts.get(wildcardOf(host) ?? "")?.find(path) ??
      this.#anyHost.find(path) ??
      this.#default;
  }

  /** Does any rule for a canonical host, or for any host when none is known, have a backend that speaks gRPC? */
  speaksGrpc(host: string | undefined): boolean {
    if (this.#anyHost.speaksGrpc || (this.#default && isForGrpc(this.#default.route.protocol))) return true;
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

/** A path of a host. */
interface Candidate extends RouteMatch {
  /** How much it says, in characters. */
  readonly length: number;
}

/** A path that is a regular expression. */
interface RegexCandidate {
  readonly text: string;
  readonly regex: PathRegex;
  readonly route: Route;
}

/** The paths of one host. */
class PathTable {
  speaksGrpc = false;
  readonly #exact = new Map<string, Candidate>();
  readonly #prefixes = new Map<string, Candidate>();
  /** The longest first. */
  readonly #regexes: RegexCandidate[] = [];
  #longestPrefix = 0;

  add({ type, path }: PathMatch, route: Route): void {
    this.speaksGrpc ||= isForGrpc(route.protocol);
    if (type === "Regex") return this.#addRegex(path, route);
    const [paths, key] = type === "Exact"
      ? [this.#exact, path]
      : [this.#prefixes, withoutTrailingSlash(path)];
    if (!paths.has(key)) paths.set(key, { route, groups: NO_GROUPS, length: Math.max(1, key.length) });
    if (type !== "Exact") this.#longestPrefix = Math.max(this.#longestPrefix, key.length);
  }

  find(path: string): RouteMatch | undefined {
    return this.#exact.get(path) ??
      (this.#regexes.length === 0 ? this.#findPrefix(path) : this.#findLongest(path));
  }

  #addRegex(text: string, route: Route): void {
    const regexes = this.#regexes;
    const at = regexes.findIndex((other) => !comesBefore(other.text, text));
    if (regexes[at]?.text === text) return;
    regexes.splice(at === -1 ? regexes.length : at, 0, { text, regex: PathRegex.of(text), route });
  }

  /** The longest of those that match. */
  #findLongest(path: string): RouteMatch | undefined {
    const compared = new ComparedPath(path);
    const prefix = this.#findPrefix(path);
    for (const { text, regex, route } of this.#regexes) {
      if (prefix !== undefined && prefix.length >= text.length) break;
      const groups = compared.compare(regex);
      // what one rule keeps out must not come in by another one because it is long
      if (groups === "too long") {
        const detail =
          `a path of ${path.length} characters, too many to be compared with the Regex paths of its host`;
        throw new ProxyError("target_too_long", detail);
      }
      if (groups !== undefined) return { route, groups };
    }
    return prefix;
  }

  /** Prefixes are compared element by element: cut the last element off until what is left is one. */
  #findPrefix(path: string): Candidate | undefined {
    if (this.#prefixes.size === 0) return undefined;
    let prefix = withoutTrailingSlash(path);
    // however long a path is, only so much of it is worth looking at
    if (prefix.length > this.#longestPrefix) {
      prefix = prefix.slice(0, prefix.lastIndexOf("/", this.#longestPrefix));
    }
    for (;;) {
      const candidate = this.#prefixes.get(prefix);
      if (candidate !== undefined || prefix === "") return candidate;
      prefix = prefix.slice(0, prefix.lastIndexOf("/"));
    }
  }
}

/** The order of regular expressions: as ingress-nginx has it, so that the same one takes a path that several match. */
function comesBefore(one: string, other: string): boolean {
  return one.length === other.length ? one > other : one.length > other.length;
}

function routeOf(
  { host, backend, options = {} }: Pick<Rule, "host" | "backend" | "options">,
  compile: Compile,
): Route {
  const { backendProtocol = "HTTP", backendServerName, backendNameHidden, backendVerify = false } = options;
  return {
    backend,
    key: serviceKey(backend),
    protocol: {
      name: backendProtocol,
      verifies: backendVerify,
      ...backendServerName !== undefined && { serverName: backendServerName },
      ...backendNameHidden && { hidesName: true },
    },
    host,
    hostClass: host === undefined ? "any" : host.startsWith("*.") ? "wildcard" : "exact",
    policies: Object.keys(options).length === 0 ? undefined : compile(options),
    delivery: deliveryOf(options),
    maxBodyBytes: options.maxBodyBytes,
    isLogged: options.accessLog,
  };
}

/** Does this backend speak gRPC? */
export function isForGrpc({ name }: EndpointProtocol): boolean {
  return name === "GRPC" || name === "GRPCS";
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
