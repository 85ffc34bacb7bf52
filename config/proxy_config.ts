import type { RuleOptions } from "./rule_options.ts";

/** What `proxy.json` says: every route that the proxy serves. */
export interface ProxyConfig {
  /** The routes, in any order: how specific a rule is decides, not where it stands. */
  rules: Rule[];
  /** Takes what no rule matches; without it the answer is 404. */
  defaultBackend?: ServiceBackend;
  /** How it takes that, where that is not the usual way. */
  defaultOptions?: RuleOptions;
  /** Certificates of names that no rule has as its host, and the one for all names that have none. */
  certificates?: Certificate[];
  /**
   * How many files the configuration is spread over, this one among them; one unless told. Each of them says the
   * same: files that do not are of different times.
   */
  shards?: number;
}

/** One route: host and path lead to a backend. */
export interface Rule {
  /** An exact name or a wildcard such as `*.example.com`. A rule without one is for every host. */
  host?: string;
  /** The paths that the rule takes. */
  path: PathMatch;
  /** Where its requests go. */
  backend: ServiceBackend;
  /** The certificate of the rule's host; a host with none is served over HTTP alone. */
  tls?: TlsFiles;
  /** How its requests are served, where that is not the usual way. */
  options?: RuleOptions;
}

/** How a path is compared, by https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types */
export interface PathMatch {
  /** `ImplementationSpecific` is taken as `Prefix`. */
  type: PathType | "Regex";
  /** Starts with a slash; of the type `Regex` a regular expression for the start of the path, in any letters. */
  path: string;
}

/** The path types of an Ingress. */
export type PathType = "Exact" | "Prefix" | "ImplementationSpecific";

/** A port of a Kubernetes Service. */
export interface ServiceBackend {
  /** The one kind of backend there is. */
  type: "Service";
  /** The Service's name. */
  name: string;
  /** The Service's namespace. */
  namespace: string;
  /** The Service's port number; a name only where the controller found no port of that name. */
  port: number | string;
}

/** Two PEM files. */
export interface TlsFiles {
  /** Path of the private key. */
  key: string;
  /** Path of the certificate, followed by its chain. */
  cert: string;
}

/** A certificate for one name, or for all that have none. */
export interface Certificate extends TlsFiles {
  /** An exact name, a wildcard such as `*.example.com`, or `*` for every name that has no certificate. */
  host: string;
}

/** All backends that requests of a rule may go to. */
export function backendsOf(
  { backend, options: { errors, canary } = {} }: Pick<Rule, "backend" | "options">,
): ServiceBackend[] {
  return [backend, errors?.backend, canary?.backend].filter((one) => one !== undefined);
}

/** All backends of a configuration, as `endpoints.json` spells them. */
export function backendKeys({ rules, defaultBackend, defaultOptions = {} }: ProxyConfig): Set<string> {
  const rest = defaultBackend === undefined ? [] : [{ backend: defaultBackend, options: defaultOptions }];
  return new Set([...rules, ...rest].flatMap(backendsOf).map(serviceKey));
}

/** How `endpoints.json` spells a backend: `namespace/name:port`. */
export function serviceKey({ namespace, name, port }: Omit<ServiceBackend, "type">): string {
  return `${namespace}/${name}:${port}`;
}
