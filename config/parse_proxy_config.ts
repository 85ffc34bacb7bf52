import { isHostPattern } from "./host.ts";
import { isDnsName, isPortName } from "./names.ts";
import { MAX_SHARDS } from "./paths.ts";
import type {
  Certificate,
  PathMatch,
  ProxyConfig,
  Rule,
  RuleOptions,
  ServiceBackend,
  TlsFiles,
} from "./proxy_config.ts";
import {
  boolean,
  type Decoder,
  either,
  integer,
  list,
  object,
  oneOf,
  optional,
  ShapeError,
  string,
} from "./shape.ts";

const dnsName = string("a name of lower-case letters, digits, '-' and '.'", isDnsName);

const host = string(
  'a host name in lower case such as "example.com" or "*.example.com", without a port',
  isHostPattern,
);

const fileName = string("the path of a file", (text) => text !== "");

const tls: Decoder<TlsFiles> = object({ key: fileName, cert: fileName });

const pathMatch: Decoder<PathMatch> = object({
  type: oneOf("Exact", "Prefix", "ImplementationSpecific"),
  path: string('a path that starts with "/"', (text) => text.startsWith("/")),
});

const backend: Decoder<ServiceBackend> = object({
  type: oneOf("Service"),
  name: dnsName,
  namespace: dnsName,
  port: either(
    integer(1, 65535),
    string("", isPortName),
    "a port number from 1 to 65535 or a port's name",
  ),
});

const options: Decoder<RuleOptions> = object({
  backendProtocol: optional(oneOf("HTTP", "HTTPS", "H2C")),
  backendServerName: optional(dnsName),
  backendVerify: optional(boolean()),
});

const ruleShape = object({
  host: optional(host),
  path: pathMatch,
  backend,
  tls: optional(tls),
  options: optional(options),
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

const certificate: Decoder<Certificate> = object({ host, key: fileName, cert: fileName });

const proxyConfig: Decoder<ProxyConfig> = object({
  rules: list(rule),
  defaultBackend: optional(backend),
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
