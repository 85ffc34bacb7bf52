import { assertEquals, assertThrows } from "@std/assert";
import type { RuleOptions, ServiceBackend } from "@pingress/config";
import { explain, parseUrl, UrlError } from "./explain.ts";

Deno.test("parseUrl() reads a URL as the proxy reads the request for it", () => {
  const cases: [text: string, scheme: string, host: string, port: number | undefined, path: string][] = [
    ["http://a.test", "http", "a.test", undefined, "/"],
    ["https://A.Test.:8443/X/../y?z=/../#frag", "https", "a.test", 8443, "/y"],
    [" HTTP://a.test/%2e%2E/b ".replace("/%2e%2E", ""), "http", "a.test", undefined, "/b"],
    ["a.test/x", "http", "a.test", undefined, "/x"],
    ["a.test:81?x", "http", "a.test", 81, "/"],
    ["http://[::1]:80//x/", "http", "[::1]", 80, "//x/"],
    ["http://b\u00fccher.test/\u00fc b", "http", "xn--bcher-kva.test", undefined, "/%C3%BC%20b"],
  ];
  for (const [text, scheme, host, port, path] of cases) {
    const url = parseUrl(text);
    assertEquals([url.scheme, url.host, url.port, url.path], [scheme, host, port, path], text);
  }
});

Deno.test("parseUrl() says what is wrong with what no proxy routes", () => {
  const cases: [text: string, message: string][] = [
    ["ftp://a.test/", "A URL begins with http:// or https://, not with ftp://"],
    ["", '"" is no host'],
    ["http:///x", '"" is no host'],
    ["http://user@a.test/", '"user@a.test" is no host'],
    ["http://a.test:99999/", '"a.test:99999" is no host'],
    ["http://a.test/../x", "The answer is 400: the path leaves the root"],
    ["http://a.test/a\\b", "The answer is 400: the path has a backslash"],
    ["http://a.test/%zz", "The answer is 400: the path has an invalid percent-encoding"],
  ];
  for (const [text, message] of cases) assertThrows(() => parseUrl(text), UrlError, message);
});

const BACKEND: ServiceBackend = { type: "Service", name: "web", namespace: "default", port: 80 };
const OTHER: ServiceBackend = { ...BACKEND, name: "other" };

function outcome(url: string, options: RuleOptions, endpoints: Record<string, string[]> = {}): string {
  const rules = [{ host: "a.test", path: { type: "Prefix", path: "/" } as const, backend: BACKEND, options }];
  const certificates = new Map([["a.test", { cert: "", key: "", secret: "default/tls" }]]);
  const translation = {
    config: { rules },
    certificates,
    endpoints: { "default/web:80": ["10.0.0.1:80"], ...endpoints },
  };
  return explain(url, { translation, routeView: () => undefined }).outcome;
}

Deno.test("explain() says what options answer, in the proxy's order", () => {
  const goes = "It goes to default/web:80, which has 1 endpoint.";
  const cases: [url: string, options: RuleOptions, outcome: string][] = [
    ["http://a.test/x", {}, goes],
    ["http://a.test/x/?y", { httpsRedirect: { code: 308 } }, "308, to https://a.test/x/?y"],
    ["http://a.test/x/", { httpsRedirect: { code: 308 } }, "308, to https://a.test/x"],
    [
      "http://a.test:80/x/",
      { httpsRedirect: { code: 301, keepsTrailingSlash: true } },
      "301, to https://a.test/x/",
    ],
    ["https://a.test/x", { httpsRedirect: { code: 308 } }, goes],
    ["http://a.test/x", { closed: "why", httpsRedirect: { code: 308 } }, "308, to https://a.test/x"],
    ["https://a.test/x", { closed: "why", httpsRedirect: { code: 308 } }, "503: why"],
    [
      "http://a.test/x",
      { redirect: { to: "https://b.test/", code: 302 }, hostRedirect: { host: "c.test", code: 301 } },
      "302, to https://b.test/",
    ],
    [
      "http://a.test:8080/./x?y",
      { hostRedirect: { host: "c.test", code: 308 } },
      "308, to http://c.test:8080/./x?y",
    ],
    ["https://a.test:443/x", { hostRedirect: { host: "c.test", code: 308 } }, "308, to https://c.test/x"],
    ["https://a.test/x?y", { rewrite: "https://b.test/z" }, "302, to https://b.test/z?y"],
    [
      "http://a.test/x",
      { rewrite: "https://b.test/z", httpsRedirect: { code: 308 }, closed: "why" },
      "302, to https://b.test/z",
    ],
    [
      "http://a.test:81/./x?y",
      { redirect: { to: "https://b.test$request_uri#$scheme-$http_host-$uri-$cookie_c", code: 301 } },
      "301, to https://b.test/./x?y#http-a.test:81-/x-$cookie_c",
    ],
    ["https://a.test/x", { rewrite: "/y", allow: ["10.0.0.0/8"] }, goes],
  ];
  for (const [url, options, expected] of cases) assertEquals(outcome(url, options), expected, url);
});

Deno.test("explain() says who answers where the backend has no endpoint", () => {
  const none = { "default/web:80": [] };
  const errors = { codes: [503], backend: OTHER, ingress: "web" };
  assertEquals(outcome("http://a.test/", {}, none), "503: default/web:80 has no endpoint.");
  assertEquals(outcome("http://a.test/", { errors }, none), "503: default/web:80 has no endpoint.");
  assertEquals(
    outcome("http://a.test/", { errors }, { ...none, "default/other:80": ["10.0.0.2:80", "10.0.0.3:80"] }),
    "It goes to default/other:80, which has 2 endpoints: default/web:80 has none.",
  );
});

Deno.test("explain() knows the default certificate", () => {
  const pair = { cert: "", key: "" };
  const certificates = new Map([
    ["a.test", { ...pair, secret: "default/tls" }],
    ["*", { ...pair, secret: "tls/wild" }],
  ]);
  // an alias has the certificate of its host
  const alias = { ...pair, secret: "default/tls" };
  certificates.set("*.alias.test", alias).set("a.alias.test", alias);
  const translation = { config: { rules: [] }, certificates, endpoints: {} };
  const cases: [host: string, candidates: string[]][] = [
    ["a.test", ["a.test: taken", "*.test: passed over", "the default certificate: not reached"]],
    ["b.test", ["b.test: passed over", "*.test: passed over", "the default certificate: taken"]],
    ["a.alias.test", [
      "a.alias.test: taken",
      "*.alias.test: not reached",
      "the default certificate: not reached",
    ]],
  ];
  for (const [host, candidates] of cases) {
    const { steps, outcome } = explain(`https://${host}/`, { translation, routeView: () => undefined });
    assertEquals(steps[0]?.candidates.map(({ label, verdict }) => `${label}: ${verdict}`), candidates);
    assertEquals(outcome, "404: no rule matches.");
  }
});

Deno.test("explain() says that TLS needs a certificate", () => {
  assertEquals(
    outcome("https://b.test/", {}),
    "Without a default certificate the handshake is refused. With one: 404: no rule matches.",
  );
});
