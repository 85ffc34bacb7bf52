import { isCertificateName, isHostPattern } from "./host.ts";
import { fileName, ruleOptions, serviceBackend, tlsFiles } from "./parse_rule_options.ts";
import { errorMessage } from "./log.ts";
import { PathRegex } from "./path_regex.ts";
import { MAX_SHARDS } from "./paths.ts";
import type { Certificate, PathMatch, ProxyConfig, Rule, ServiceBackend } from "./proxy_config.ts";
import {
  type Decoder,
  integer,
  list,
  object,
  oneOf,
  optional,
  otherwise,
  ShapeError,
  string,
} from "./shape.ts";

const host = string(
  'a host name in lower case such as "example.com" or "*.example.com", without a port',
  isHostPattern,
);

const pathShape = object({
  type: oneOf("Exact", "Prefix", "ImplementationSpecific", "Regex"),
  path: string('a path that starts with "/"', (text) => text.startsWith("/")),
});

const pathMatch: Decoder<PathMatch> = (value, path) => {
  const decoded = pathShape(value, path);
  if (decoded.type !== "Regex") return decoded;
  try {
    PathRegex.of(decoded.path);
    return decoded;
  } catch (error) {
    throw new ShapeError(`${path}.path`, decoded.path, `a regular expression: ${errorMessage(error)}`);
  }
};

const ruleShape = object({
  host: optional(host),
  path: pathMatch,
  backend: serviceBackend,
  tls: optional(tlsFiles),
  options: optional(ruleOptions),
});

const rule: Decoder<Rule> = (value, path) => {
  const decoded = ruleShape(value, path);
  if (decoded.tls !== undefined && decoded.host === undefined) {
    throw new ShapeError(
      `${path}.tls`,
      decoded.tls,
      "no tls on a rule without host: certificates go by name",
    );
  }
  return decoded;
};

const certificateHost = string(
  'a host name in lower case such as "example.com" or "*.example.com", or "*"',
  isCertificateName,
);

const certificate: Decoder<Certificate> = object({ host: certificateHost, key: fileName, cert: fileName });

const defaults = object({ defaultBackend: optional(serviceBackend), defaultOptions: optional(ruleOptions) });

/** Stands for a backend that cannot be read: a closed rule asks none. */
const UNREADABLE: ServiceBackend = { type: "Service", name: "unreadable", namespace: "unreadable", port: 1 };

const place = object({ host: optional(host), path: pathMatch });
const anyBackend = otherwise(object({ backend: serviceBackend }), () => ({ backend: UNREADABLE }));
const anyTls = otherwise(object({ host, tls: tlsFiles }), () => ({}));

/** A part of a `proxy.json` that cannot be used as it is. */
export interface ConfigFault {
  /** Which part, such as `Exact example.com/app`: a rule has this name wherever it stands. */
  part: string;
  /** What is wrong with it, and where. */
  error: ShapeError;
}

/** What of a `proxy.json` can be used. */
export interface UsableConfig {
  /** All of it, with closed rules in the place of those that cannot be used. */
  config: ProxyConfig;
  /** Why they cannot. */
  faults: ConfigFault[];
}

/**
 * Reads a parsed `proxy.json` as far as it can be used. A rule with a fault is closed: its options may say who comes
 * in, and left out it would leave its requests to another rule. So is the default backend.
 *
 * @throws {ShapeError} for a fault of the whole, and of a rule's host or path: which requests it takes is not known.
 */
export function readProxyConfig(value: unknown): UsableConfig {
  const faults: ConfigFault[] = [];
  const ruleOrClosed = otherwise<Rule>(rule, (value, path, error) => {
    const taken = place(value, path);
    faults.push({ part: `${taken.path.type} ${taken.host ?? ""}${taken.path.path}`, error });
    const options = { closed: error.message };
    return { ...taken, ...anyBackend(value, path), ...anyTls(value, path), options };
  });
  const defaultsOrClosed = otherwise(defaults, (_value, _path, error) => {
    faults.push({ part: "the default backend", error });
    return { defaultBackend: UNREADABLE, defaultOptions: { closed: error.message } };
  });
  const whole = object({
    rules: list(ruleOrClosed),
    certificates: optional(list(certificate)),
    shards: optional(integer(1, MAX_SHARDS)),
  });
  return { config: { ...whole(value, ""), ...defaultsOrClosed(value, "") }, faults };
}

/**
 * Checks a parsed `proxy.json`: all of it must be good.
 *
 * @throws {ShapeError} naming the JSON path, what was found and what was expected.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseProxyConfig } from "./parse_proxy_config.ts";
 *
 * assertEquals(parseProxyConfig({ rules: [] }), { rules: [] });
 * ```
 */
export function parseProxyConfig(value: unknown): ProxyConfig {
  const { config, faults: [fault] } = readProxyConfig(value);
  if (fault !== undefined) throw fault.error;
  return config;
}
