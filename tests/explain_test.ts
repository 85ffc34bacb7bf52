import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { parseProxyConfig, type ProxyConfig, type RuleOptions, serviceKey } from "@pingress/config";
import { explain, parseUrl, search } from "../controller/dashboard/explain.ts";
import { errorResponse, ProxyError } from "../proxy/errors.ts";
import { FieldName } from "../proxy/http1/field_name.ts";
import { compilePolicies } from "../proxy/policies/compile.ts";
import semantics from "../proxy/testdata/ingress_semantics.json" with { type: "json" };
import { RoutingTable } from "../proxy/routing_table.ts";
import { Random } from "./fuzz/random.ts";
import { environmentOf, exchangeOf } from "./policies.ts";

/** What takes a request, by the proxy's own table. */
function routed(table: RoutingTable, host: string, path: string): string {
  try {
    return table.match(host, path)?.route.key ?? "none";
  } catch (error) {
    if (error instanceof ProxyError) return error.reason;
    throw error;
  }
}

/** The same, by what the dashboard says. */
function searched(config: ProxyConfig, host: string, path: string): string {
  const { match, steps } = search(config, { host, path });
  const taken = steps.flatMap(({ candidates }) => candidates).filter(({ verdict }) => verdict === "taken");
  switch (match.kind) {
    case "none":
      assertEquals(taken, []);
      return "none";
    case "too long":
      return "target_too_long";
    case "default":
      assertEquals(taken.length, 1);
      return config.defaultBackend === undefined ? "BUG" : serviceKey(config.defaultBackend);
    case "rule":
      // the host, and one of its paths
      assertEquals(taken.length, 2);
      return serviceKey(match.rule.backend);
  }
}

const backend = (port: number) => ({ type: "Service", name: "web", namespace: "default", port }) as const;

for (const { kind, paths, request } of semantics.pathType) {
  Deno.test(`search() is what the proxy does, by Kubernetes: ${kind} ${paths} and ${request}`, () => {
    const rules = paths.map((text, index) => {
      const [, path = "", type = kind] = /^(\S+)(?: \((\w+)\))?$/.exec(text) ?? [];
      return { host: "a.test", path: { type, path }, backend: backend(index + 1) };
    });
    for (const ordered of [rules, rules.toReversed()]) {
      const config = parseProxyConfig({ rules: ordered, defaultBackend: backend(99) });
      const table = new RoutingTable(config);
      for (const path of request[0] === "(all paths)" ? ["/", "/foo", "//", "/foo/bar/"] : request) {
        assertEquals(searched(config, "a.test", path), routed(table, "a.test", path), path);
      }
    }
  });
}

for (const { rule, host } of semantics.host) {
  Deno.test(`search() is what the proxy does, by Kubernetes: host ${rule} and ${host}`, () => {
    const path = { type: "Prefix", path: "/" } as const;
    const config: ProxyConfig = { rules: [{ host: rule, path, backend: backend(1) }] };
    assertEquals(searched(config, host, "/"), routed(new RoutingTable(config), host, "/"));
  });
}

const HOSTS = ["a.test", "b.a.test", "*.a.test", "*.test", "test", "*.b.a.test", undefined];
const ASKED_HOSTS = ["a.test", "b.a.test", "c.a.test", "x.test", "test", "d.b.a.test", "[::1]", "10.0.0.1"];
const ELEMENTS = ["a", "A", "ab", "b", "", "a.b", "%2f", "api", "v1"];
const EXPRESSIONS = [
  "/a",
  "/a.*",
  "/(a|b)/?",
  "/A",
  "/api/v[0-9]+",
  "/.*b",
  "/",
  "/a/b",
  "/a/c",
  "/(.*)",
  "/ab$",
];

function someConfig(random: Random): ProxyConfig {
  let port = 1;
  const rules = random.times(1 + random.below(24), () => {
    const host = random.pick(HOSTS);
    const type = random.pick(["Exact", "Prefix", "Prefix", "ImplementationSpecific", "Regex"] as const);
    const path = type === "Regex" ? random.pick(EXPRESSIONS) : somePath(random);
    return { ...host !== undefined && { host }, path: { type, path }, backend: backend(port++) };
  });
  return parseProxyConfig({ rules, ...random.chance(0.3) && { defaultBackend: backend(60_000) } });
}

function somePath(random: Random): string {
  const path = random.times(random.below(4), () => `/${random.pick(ELEMENTS)}`).join("");
  return random.chance(0.3) || path === "" ? `${path}/` : path;
}

Deno.test("search() takes the rule that the proxy takes, for 20,000 URLs and 1,000 configurations", () => {
  const seen = new Map<string, number>();
  for (let index = 0; index < 1000; index++) {
    const random = new Random(20261126, index);
    const config = someConfig(random);
    const table = new RoutingTable(config);
    for (let count = 0; count < 20; count++) {
      const host = random.pick(ASKED_HOSTS);
      const path = somePath(random);
      const expected = routed(table, host, path);
      assertEquals(
        searched(config, host, path),
        expected,
        `${index}: ${host}${path} ${JSON.stringify(config)}`,
      );
      const what = expected === "none" ? "none" : expected.endsWith(":60000") ? "default" : "rule";
      seen.set(what, (seen.get(what) ?? 0) + 1);
    }
  }
  // all that can happen has happened many times
  for (const what of ["none", "default", "rule"]) assertGreater(seen.get(what) ?? 0, 500, what);
});

Deno.test("search() refuses a path that is too long for a Regex where the proxy does", () => {
  const long = `/${"a".repeat(9000)}`;
  const rules = (...texts: [type: "Exact" | "Prefix" | "Regex", path: string][]): ProxyConfig => ({
    rules: texts.map(([type, path], index) => ({ path: { type, path }, backend: backend(index + 1) })),
  });
  const cases: [config: ProxyConfig, expected: string][] = [
    [rules(["Regex", "/b"]), "target_too_long"],
    [rules(["Regex", "/b"], ["Prefix", "/"]), "target_too_long"],
    [rules(["Regex", "/b"], ["Exact", long]), "default/web:2"],
    [rules(["Regex", "/b"], ["Prefix", long]), "default/web:2"],
    [rules(["Prefix", "/"]), "default/web:1"],
  ];
  for (const [config, expected] of cases) {
    assertEquals(routed(new RoutingTable(config), "a.test", long), expected);
    assertEquals(searched(config, "a.test", long), expected);
  }
});

Deno.test("explain() tells a few candidates of very many, and always the one that is taken", () => {
  const rules = Array.from({ length: 500 }, (_, index) => ({
    host: "a.test",
    path: { type: "Prefix", path: `/path-${1000 + index}` } as const,
    backend: backend(index + 1),
  }));
  const config = { rules };
  const translation = { config, endpoints: {}, certificates: new Map() };
  const { steps, outcome } = explain("a.test/path-1000/x", { translation, routeView: () => undefined });
  const [, { candidates } = { candidates: [] }] = steps;
  assert(candidates.length < 40);
  assertEquals(candidates.find(({ verdict }) => verdict === "taken")?.label, "Prefix /path-1000");
  assertEquals(outcome, "It goes to default/web:1, which is looked up in DNS.");
  assertEquals(parseUrl("a.test/path-1000/x").path, "/path-1000/x");
});

/** What answers a request before its backend, whoever asks. */
const ANSWERS: RuleOptions = {
  redirect: { to: "https://elsewhere.test/", code: 301 },
  hostRedirect: { host: "www.site.test", code: 308 },
  rewrite: "https://rewritten.test/a",
  httpsRedirect: { code: 307 },
  closed: "something cannot be used",
};

Deno.test("explain() lets the same options answer first as the proxy does", async () => {
  const names = Object.keys(ANSWERS) as (keyof typeof ANSWERS)[];
  for (let chosen = 1; chosen < 2 ** names.length; chosen++) {
    const options: RuleOptions = Object.fromEntries(
      names.filter((_, bit) => chosen & 2 ** bit).map((name) => [name, ANSWERS[name]]),
    );
    const rule = {
      host: "site.test",
      path: { type: "Prefix", path: "/" },
      backend: backend(1),
      options,
    } as const;
    const { outcome } = explain("http://site.test:8080/a/b", {
      translation: { config: { rules: [rule] }, endpoints: {}, certificates: new Map() },
      routeView: () => undefined,
    });
    const [status, location] = await answered(options);
    assertStringIncludes(outcome, String(status), JSON.stringify(options));
    if (location !== undefined) assertStringIncludes(outcome, location, JSON.stringify(options));
  }
});

/** The status and Location by which the proxy's policies answer. */
async function answered(options: RuleOptions): Promise<[number | undefined, string | undefined]> {
  const exchange = exchangeOf({ target: "/a/b" });
  try {
    for (const request of compilePolicies(options, environmentOf())?.requests ?? []) {
      const answer = await request(exchange);
      if (answer !== undefined) return [answer.status, answer.fields.get(LOCATION)];
    }
  } catch (error) {
    if (error instanceof ProxyError) return [errorResponse(error.reason).status, undefined];
    throw error;
  }
  return [undefined, undefined];
}

const LOCATION = FieldName.of("location");

Deno.test("search() finds that comparing takes too long where the proxy does, for each host by itself", () => {
  const hosts = ["b.a.test", "*.a.test", undefined];
  const ruleOf = (host: string | undefined, index: number, type = "Regex") => ({
    ...host !== undefined && { host },
    path: { type, path: type === "Regex" ? `/(x|x?)*.*(a|b|x)*y${index}z` : "/" },
    backend: backend(index),
  });
  const answers = (rules: ReturnType<typeof ruleOf>[]) => {
    const config = parseProxyConfig({ rules: [...rules, ruleOf(undefined, 9, "Prefix")] });
    const table = new RoutingTable(config);
    return [10, 1000, 4000, 8000].map((length) => {
      const path = `/${"x".repeat(length)}`;
      const searches = searched(config, "b.a.test", path);
      assertEquals(searches, routed(table, "b.a.test", path), `${length} characters`);
      return searches === "default/web:9" ? "found" : searches;
    });
  };
  const tooLong = ["found", "found", "target_too_long", "target_too_long"];
  for (const host of hosts) {
    assertEquals(answers([1, 2, 3].map((index) => ruleOf(host, index))), tooLong, host);
  }
  assertEquals(answers(hosts.map((host, index) => ruleOf(host, index + 1))), [
    "found",
    "found",
    "found",
    "target_too_long",
  ]);
});
