import { isAddressRange } from "./address.ts";
import { isDnsName, isPassableField, isPortName } from "./names.ts";
import type { ServiceBackend, TlsFiles } from "./proxy_config.ts";
import type { RuleOptions } from "./rule_options.ts";
import {
  boolean,
  type Decoder,
  dictionary,
  either,
  integer,
  list,
  object,
  oneOf,
  optional,
  string,
} from "./shape.ts";
import { parseTemplate } from "./template.ts";
import { compileValuePattern } from "./value_pattern.ts";

/** Reads a name as Kubernetes and DNS have them. */
const dnsName: Decoder<string> = string(
  "a name of lower-case letters, digits, '-' and '.'",
  isDnsName,
);

/** Reads the path of a file. */
export const fileName: Decoder<string> = string("the path of a file", (text) => text !== "");

/** Reads two files. */
export const tlsFiles: Decoder<TlsFiles> = object({ key: fileName, cert: fileName });

/** Reads a port of a Service. */
export const serviceBackend: Decoder<ServiceBackend> = object({
  type: oneOf("Service"),
  name: dnsName,
  namespace: dnsName,
  port: either(
    integer(1, 65535),
    string("", isPortName),
    "a port number from 1 to 65535 or a port's name",
  ),
});

const token = string("a token (RFC 9110, section 5.6.2)", (text) => /^[!#$%&'*+\-.^_`|~\w]+$/.test(text));
const fieldValue = string(
  "a text without control characters",
  (text) => !/[^\t\x20-\x7e\x80-\xff]/.test(text),
);
const addresses = list(string("an IP address or a CIDR block", isAddressRange));
const template = string("a text with variables such as $host", isTemplate);
const fields: Decoder<Record<string, string>> = (value, path) => {
  const values = dictionary(fieldValue)(value, path);
  for (const name of Object.keys(values)) token(name, `${path}, a name`);
  return values;
};
const seconds = integer(0, 1_000_000_000);
const count = integer(0, Number.MAX_SAFE_INTEGER);
const redirectCode = integer(300, 399);

/** Reads the options of a rule. */
export const ruleOptions: Decoder<RuleOptions> = object({
  closed: optional(string()),
  backendProtocol: optional(oneOf("HTTP", "HTTPS", "H2C", "GRPC", "GRPCS")),
  backendServerName: optional(dnsName),
  backendNameHidden: optional(boolean()),
  backendVerify: optional(boolean()),
  backendTrust: optional(fileName),
  backendIdentity: optional(tlsFiles),
  redirect: optional(object({ to: template, code: redirectCode })),
  hostRedirect: optional(object({ host: dnsName, code: redirectCode })),
  httpsRedirect: optional(object({ code: redirectCode, keepsTrailingSlash: optional(boolean()) })),
  rewrite: optional(fieldValue),
  forwardedPrefix: optional(fieldValue),
  upstreamHost: optional(fieldValue),
  maxBodyBytes: optional(count),
  connectTimeout: optional(seconds),
  readTimeout: optional(seconds),
  sendTimeout: optional(seconds),
  retry: optional(object({ on: list(string()), attempts: optional(count), seconds: optional(seconds) })),
  errors: optional(object({
    codes: list(integer(400, 599)),
    backend: serviceBackend,
    ingress: fieldValue,
    ownOnly: optional(boolean()),
  })),
  balance: optional(oneOf("least-requests", "round-robin")),
  hashBy: optional(template),
  affinity: optional(object({
    name: token,
    isPersistent: optional(boolean()),
    changesOnFailure: optional(boolean()),
    attributes: object({
      expires: optional(integer(-1_000_000_000, 1_000_000_000)),
      maxAge: optional(integer(-1_000_000_000, 1_000_000_000)),
      domain: optional(fieldValue),
      path: optional(fieldValue),
      sameSite: optional(fieldValue),
    }),
    isSecure: optional(boolean()),
    omitsSameSiteNone: optional(boolean()),
  })),
  canary: optional(object({
    backend: serviceBackend,
    weight: optional(count),
    total: optional(count),
    header: optional(token),
    headerValue: optional(string()),
    headerPattern: optional(string("a regular expression", isPattern)),
    cookie: optional(token),
    ignoresAffinity: optional(boolean()),
  })),
  cors: optional(object({
    origins: list(fieldValue),
    methods: fieldValue,
    headers: fieldValue,
    credentials: boolean(),
    maxAge: integer(-1, 1_000_000_000),
    exposes: optional(fieldValue),
  })),
  allow: optional(addresses),
  deny: optional(addresses),
  limit: optional(object({
    key: string(),
    perSecond: optional(count),
    perMinute: optional(count),
    burst: count,
    connections: optional(count),
    except: optional(addresses),
  })),
  basicAuth: optional(object({ realm: fieldValue, users: fileName })),
  externalAuth: optional(object({
    url: string(
      "a URL that begins with http:// or https://, without spaces, with variables such as $host",
      (text) => /^https?:\/\/[^/?#@\s]\S*$/i.test(text) && isTemplate(text),
    ),
    method: optional(token),
    signIn: optional(template),
    redirectParameter: optional(token),
    responseHeaders: optional(list(string("a field that a backend may be told", isPassableField))),
    alwaysSetsCookie: optional(boolean()),
    requestRedirect: optional(template),
  })),
  satisfy: optional(oneOf("all", "any")),
  responseHeaders: optional(fields),
  strictTransportSecurity: optional(fieldValue),
  accessLog: optional(boolean()),
});

function isPattern(text: string): boolean {
  try {
    compileValuePattern(text);
    return true;
  } catch {
    return false;
  }
}

function isTemplate(text: string): boolean {
  try {
    parseTemplate(text);
    return !/[^\x20-\x7e\x80-\xff]/.test(text);
  } catch {
    return false;
  }
}
