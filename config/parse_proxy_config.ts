import { EVERY_NAME, isHostPattern } from "./host.ts";
import { fileName, ruleOptions, serviceBackend, tlsFiles } from "./parse_rule_options.ts";
import { errorMessage } from "./log.ts";
import { PathRegex } from "./path_regex.ts";
import { MAX_SHARDS } from "./paths.ts";
import type { Certificate, PathMatch, ProxyConfig, Rule } from "./proxy_config.ts";
import { type Decoder, integer, list, object, oneOf, optional, ShapeError, string } from "./shape.ts";

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
  (text) => text === EVERY_NAME || isHostPattern(text),
);

const certificate: Decoder<Certificate> = object({ host: certificateHost, key: fileName, cert: fileName });

const proxyConfig: Decoder<ProxyConfig> = object({
  rules: list(rule),
  defaultBackend: optional(serviceBackend),
  defaultOptions: optional(ruleOptions),
  certificates: optional(list(certificate)),
  shards: optional(integer(1, MAX_SHARDS)),
});

/**
 * Checks a parsed `proxy.json`.
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
  return proxyConfig(value, "");
}
