import { assertEquals, assertThrows } from "@std/assert";
import type { RuleOptions } from "@pingress/config";
import type { Ingress, Secret } from "../objects.ts";
import { selfSigned } from "../../tests/certificates.ts";
import { affinity } from "./affinity.ts";
import { backendTls } from "./backend_tls.ts";
import { balancing } from "./balance.ts";
import { canaries, canaryOf, isCanary } from "./canary.ts";
import { AnnotationError, type Feature, type RuleContext } from "./feature.ts";

const INGRESS: Ingress = { metadata: { name: "web", namespace: "default" } };

/** What the context of a rule was asked for. */
interface Told {
  kept: Record<string, string>;
  problems: string[];
}

function valuesOf({ rows }: Feature, annotations: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(annotations).map(([name, text]) => [name, rows[name]!.parse(text)]),
  );
}

function optionsOf(
  feature: Feature,
  annotations: Record<string, string>,
  { path = "/", secret, told = { kept: {}, problems: [] }, isFull = false }: {
    path?: string;
    secret?: Secret;
    told?: Told;
    isFull?: boolean;
  } = {},
): RuleOptions {
  const context: RuleContext = {
    ingress: INGRESS,
    host: "site.test",
    path,
    hasCertificate: false,
    defaults: { redirectsToHttps: false },
    secret: (name) => name === secret?.metadata.name ? secret : undefined,
    keep: (file, text) => {
      if (isFull) return undefined;
      told.kept[file] = text;
      return `/keys/${file}`;
    },
    findService: () => undefined,
    isFaulty: () => false,
    tell: (annotation, _, message) => void told.problems.push(`${annotation}: ${message}`),
  };
  return feature.optionsOf(valuesOf(feature, annotations), context);
}

const COOKIE = { name: "INGRESSCOOKIE", attributes: { path: "/" } };

const made: [feature: Feature, annotations: Record<string, string>, options: RuleOptions][] = [
  [affinity, {}, {}],
  [affinity, { "session-cookie-name": "route" }, {}],
  [affinity, { affinity: "cookie" }, { affinity: COOKIE }],
  [affinity, { affinity: "cookie", "affinity-mode": "balanced" }, { affinity: COOKIE }],
  [affinity, { affinity: "cookie", "affinity-mode": "persistent" }, {
    affinity: { ...COOKIE, isPersistent: true },
  }],
  [
    affinity,
    {
      affinity: "cookie",
      "session-cookie-name": "route",
      "session-cookie-expires": "-1",
      "session-cookie-max-age": "3600",
      "session-cookie-path": "/a",
      "session-cookie-domain": ".site.test",
      "session-cookie-samesite": "STRICT",
      "session-cookie-secure": "true",
      "session-cookie-change-on-failure": "true",
      "session-cookie-conditional-samesite-none": "true",
    },
    {
      affinity: {
        name: "route",
        changesOnFailure: true,
        attributes: { expires: -1, maxAge: 3600, domain: ".site.test", path: "/a", sameSite: "Strict" },
        isSecure: true,
        omitsSameSiteNone: true,
      },
    },
  ],
  [
    affinity,
    { affinity: "cookie", "session-cookie-secure": "false", "session-cookie-change-on-failure": "false" },
    { affinity: COOKIE },
  ],
  [balancing, {}, {}],
  [balancing, { "load-balance": "round_robin" }, { balance: "round-robin" }],
  [balancing, { "load-balance": "ewma" }, { balance: "least-requests" }],
  [balancing, { "upstream-hash-by": "$host ${http_x_a}" }, { hashBy: "$host${http_x_a}" }],
  [balancing, { "service-upstream": "true" }, {}],
  [canaries, { canary: "true", "canary-weight": "5" }, {}],
  [backendTls, {}, {}],
  [backendTls, { "backend-protocol": "http", "proxy-ssl-verify": "on", "proxy-ssl-secret": "default/x" }, {}],
  [backendTls, { "backend-protocol": "gRPC" }, { backendProtocol: "GRPC" }],
  [backendTls, { "backend-protocol": "HTTPS" }, { backendProtocol: "HTTPS" }],
  [
    backendTls,
    { "backend-protocol": "GRPCS", "proxy-ssl-name": "A.test", "proxy-ssl-verify": "on" },
    { backendProtocol: "GRPCS", backendServerName: "a.test", backendNameHidden: true, backendVerify: true },
  ],
  [
    backendTls,
    { "backend-protocol": "HTTPS", "proxy-ssl-name": "a.test", "proxy-ssl-server-name": "on" },
    { backendProtocol: "HTTPS", backendServerName: "a.test" },
  ],
  [
    backendTls,
    { "backend-protocol": "HTTPS", "proxy-ssl-server-name": "on", "proxy-ssl-verify": "off" },
    { backendProtocol: "HTTPS" },
  ],
];

for (const [feature, annotations, options] of made) {
  Deno.test(`optionsOf() of ${JSON.stringify(annotations)}`, () => {
    assertEquals(optionsOf(feature, annotations), options);
  });
}

const paths: [path: string, cookiePath: string][] = [
  ["/shop", "/shop"],
  ["/shop/", "/shop/"],
  ["/a%20b", "/a%20b"],
  ["/shop(/|$)(.*)", "/"],
  ["/a;Domain=evil.test", "/"],
  ["/a,b", "/"],
];

for (const [path, cookiePath] of paths) {
  Deno.test(`optionsOf() makes a cookie for ${cookiePath} where the path is ${path}`, () => {
    const options = optionsOf(affinity, { affinity: "cookie" }, { path });
    assertEquals(options.affinity?.attributes, { path: cookiePath });
  });
}

const wrong: [feature: Feature, name: string, texts: string[]][] = [
  [affinity, "affinity", ["", "Cookie", "ip"]],
  [affinity, "affinity-mode", ["sticky"]],
  [affinity, "session-cookie-name", ["", "a b", "a=b", "a;b"]],
  [affinity, "session-cookie-expires", ["1d", "1.5", "", "9999999999"]],
  [affinity, "session-cookie-max-age", ["60s"]],
  [affinity, "session-cookie-path", ["", "app", "/a;b", "/a b"]],
  [affinity, "session-cookie-domain", ["", "a;b", "a b"]],
  [affinity, "session-cookie-samesite", ["", "other"]],
  [affinity, "session-cookie-secure", ["yes"]],
  [affinity, "session-cookie-conditional-samesite-none", ["yes"]],
  [affinity, "session-cookie-change-on-failure", ["yes"]],
  [balancing, "load-balance", ["", "least_conn", "chash", "sticky_balanced", "toString"]],
  [balancing, "upstream-hash-by", ["", "request_uri", "$", "$upstream_addr", "$http_"]],
  [balancing, "service-upstream", ["yes"]],
  [canaries, "canary", ["yes", ""]],
  [canaries, "canary-by-header", ["", "a b", "a:b"]],
  [canaries, "canary-by-header-value", ["", "a b"]],
  [canaries, "canary-by-header-pattern", ["(", "(?=a)", "a{1000}{1000}"]],
  [canaries, "canary-by-cookie", ["", "a=b"]],
  [canaries, "canary-weight", ["10%", "-1", ""]],
  [canaries, "canary-weight-total", ["1e3"]],
  [canaries, "affinity-canary-behavior", ["other"]],
  [backendTls, "backend-protocol", ["", "FCGI", "AUTO_HTTP", "H2C"]],
  [backendTls, "proxy-ssl-secret", ["", "tls", "a/b/c", "A/b", "/b"]],
  [backendTls, "proxy-ssl-verify", ["", "yes", "optional"]],
  [backendTls, "proxy-ssl-name", ["", "$host", "a b"]],
  [backendTls, "proxy-ssl-server-name", ["yes"]],
];

for (const [{ rows }, name, texts] of wrong) {
  Deno.test(`${name} takes no value that means nothing`, () => {
    for (const text of texts) assertThrows(() => rows[name]!.parse(text), AnnotationError, undefined, text);
  });
}

const canary: [annotations: Record<string, string>, options: ReturnType<typeof canaryOf>][] = [
  [{}, {}],
  [{ "canary-weight": "0" }, { weight: 0 }],
  [{ "canary-weight": "5", "canary-weight-total": "100" }, { weight: 5 }],
  [{ "canary-weight": "5", "canary-weight-total": "10" }, { weight: 5 }],
  [{ "canary-weight": "5", "canary-weight-total": "1000" }, { weight: 5, total: 1000 }],
  [{ "canary-by-header": "X_Canary" }, { header: "X-Canary" }],
  [
    { "canary-by-header": "x", "canary-by-header-value": "v", "canary-by-header-pattern": "p" },
    { header: "x", headerValue: "v" },
  ],
  [{ "canary-by-header": "x", "canary-by-header-pattern": "^p" }, { header: "x", headerPattern: "^p" }],
  [{ "canary-by-cookie": "c", "affinity-canary-behavior": "sticky" }, { cookie: "c" }],
  [{ "affinity-canary-behavior": "legacy" }, { ignoresAffinity: true }],
];

for (const [annotations, options] of canary) {
  Deno.test(`canaryOf() ${JSON.stringify(annotations)}`, () => {
    assertEquals(canaryOf(valuesOf(canaries, annotations)), options);
  });
}

Deno.test("isCanary() is for the annotation canary alone to say", () => {
  const of = (annotations: Record<string, string>) => isCanary(valuesOf(canaries, annotations));
  assertEquals([of({ canary: "true" }), of({ canary: "false" }), of({ "canary-weight": "1" })], [
    true,
    false,
    false,
  ]);
});

const { cert, key } = await selfSigned(["client.test"]);
const ALL = { "backend-protocol": "HTTPS", "proxy-ssl-secret": "default/tls" };

function tls(stringData: Record<string, string>): Secret {
  return { metadata: { name: "tls", namespace: "default" }, stringData };
}

Deno.test("optionsOf() hands proxies what the Secret for backends holds", () => {
  const told: Told = { kept: {}, problems: [] };
  const secret = tls({ "ca.crt": cert, "tls.crt": cert, "tls.key": key });
  assertEquals(optionsOf(backendTls, ALL, { secret, told }), {
    backendProtocol: "HTTPS",
    backendTrust: "/keys/default_tls.backend.ca",
    backendIdentity: { cert: "/keys/default_tls.backend.cert", key: "/keys/default_tls.backend.key" },
  });
  assertEquals(told.kept, {
    "default_tls.backend.ca": cert,
    "default_tls.backend.cert": cert,
    "default_tls.backend.key": key,
  });
  assertEquals(told.problems, []);
});

const closed: [what: string, changes: Record<string, string>, secret: Secret, isFull: boolean][] = [
  ["of another namespace", { "proxy-ssl-secret": "other/tls" }, tls({ "ca.crt": cert }), false],
  ["that there is not", { "proxy-ssl-secret": "default/none" }, tls({ "ca.crt": cert }), false],
  ["with nothing for it", {}, tls({ "tls.crt": cert }), false],
  ["with authorities that are none", {}, tls({ "ca.crt": "text", "tls.crt": cert, "tls.key": key }), false],
  ["with another key", {}, tls({ "tls.crt": cert, "tls.key": "text" }), false],
  ["that there is no room for", {}, tls({ "ca.crt": cert }), true],
];

for (const [what, changes, secret, isFull] of closed) {
  Deno.test(`optionsOf() lets nobody in with a Secret for backends ${what}`, () => {
    const told: Told = { kept: {}, problems: [] };
    const options = optionsOf(backendTls, { ...ALL, ...changes }, { secret, told, isFull });
    assertEquals([options.closed?.startsWith("proxy-ssl-secret: Secret "), told.problems.length], [true, 1]);
    assertEquals(told.problems[0]?.endsWith("The Ingress answers 503"), true);
  });
}
