import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import type { PathMatch, Rule, RuleOptions, ServiceBackend } from "@pingress/config";
import semantics from "./testdata/ingress_semantics.json" with { type: "json" };
import { ProxyError } from "./errors.ts";
import { type HostClass, RoutingTable } from "./routing_table.ts";
import type { EndpointProtocol } from "./upstream/endpoint.ts";

/** Writes a rule as `host path`, with the path's type before it unless it is a Prefix; `-` stands for no host. */
function rules(...texts: string[]): Rule[] {
  return texts.map((text) => {
    const [host = "", type = "", path = type] = text.split(" ");
    return {
      ...host !== "-" && { host },
      path: { type: (path === type ? "Prefix" : type) as PathMatch["type"], path },
      backend: backend(text),
    };
  });
}

function backend(name: string): ServiceBackend {
  return { type: "Service", name, namespace: "default", port: 80 };
}

/** The rule that takes a request, as it was written. */
function winner(table: RoutingTable, host: string, path: string): string | undefined {
  return table.match(host, path)?.route.backend.name;
}

/** A path of the table on path types: `/foo (Exact)`, or of the row's own type. */
function ruleOf(path: string, kind: string): string {
  const [, text, type] = /^(\S+)(?: \((\w+)\))?$/.exec(path) ?? [];
  return `a.test ${type ?? kind} ${text}`;
}

/**
 * Which path of each row takes its requests, where several do or the trailing slash is left out of account:
 * the table of Kubernetes says it in words only.
 */
const WINNERS: Record<string, string> = {
  "matches /aaa prefix": "/aaa",
  "matches /aaa/bbb prefix": "/aaa/bbb",
  "matches / prefix": "/",
  "prefers Exact": "/foo (Exact)",
};

for (const { kind, paths, request, match, note } of semantics.pathType) {
  Deno.test(`RoutingTable.match() by Kubernetes: ${kind} ${paths} ${match ? "takes" : "leaves"} ${request}`, () => {
    const expected = match ? ruleOf(WINNERS[note] ?? paths[0]!, kind) : undefined;
    assert(paths.length === 1 || note in WINNERS);
    const requests = request[0] === "(all paths)" ? ["/", "/foo", "/foo/bar/", "//", "/foo.html"] : request;
    for (const order of [paths, paths.toReversed()]) {
      const table = new RoutingTable({ rules: rules(...order.map((path) => ruleOf(path, kind))) });
      for (const path of requests) assertEquals(winner(table, "a.test", path), expected, path);
    }
  });
}

for (const { rule, host, match } of semantics.host) {
  Deno.test(`RoutingTable.match() by Kubernetes: host ${rule} ${match ? "takes" : "leaves"} ${host}`, () => {
    const table = new RoutingTable({ rules: rules(`${rule} /`) });
    assertEquals(winner(table, host, "/"), match ? `${rule} /` : undefined);
  });
}

Deno.test("RoutingTable.match() takes the default backend where Kubernetes says so", () => {
  const table = new RoutingTable({ rules: rules("a.test /aaa"), defaultBackend: backend("default") });
  const cases: [host: string, path: string, expected: string][] = [
    ["a.test", "/aaa", "a.test /aaa"],
    ["a.test", "/ccc", "default"],
    ["b.test", "/aaa", "default"],
  ];
  for (const [host, path, expected] of cases) assertEquals(winner(table, host, path), expected);
});

Deno.test("RoutingTable.match() takes little time for a path of very many elements", () => {
  const table = new RoutingTable({
    rules: [{
      path: { type: "Prefix", path: "/a/b" },
      backend: { type: "Service", name: "s", namespace: "n", port: 1 },
    }],
  });
  const start = performance.now();
  for (let count = 0; count < 10; count++) {
    assertEquals(table.match("a.test", "/".repeat(64_000) + count), undefined);
  }
  assertLess(performance.now() - start, 300);
});

Deno.test("RoutingTable.match() takes the most specific host that has a path for it", () => {
  const table = new RoutingTable({
    rules: rules(
      "- /",
      "- /any",
      "*.a.test /wild",
      "*.a.test /both",
      "www.a.test /both",
      "www.a.test Exact /x",
    ),
  });
  const cases: [host: string, path: string, expected: string][] = [
    ["www.a.test", "/both", "www.a.test /both"],
    ["www.a.test", "/x", "www.a.test Exact /x"],
    ["www.a.test", "/wild", "*.a.test /wild"],
    ["www.a.test", "/any", "- /any"],
    ["www.a.test", "/x/y", "- /"],
    ["api.a.test", "/both/more", "*.a.test /both"],
    ["api.a.test", "/x", "- /"],
    ["a.test", "/wild", "- /"],
    ["b.www.a.test", "/both", "- /"],
    ["localhost", "/any", "- /any"],
    ["[::1]", "/", "- /"],
  ];
  for (const [host, path, expected] of cases) {
    assertEquals(winner(table, host, path), expected, `${host}${path}`);
  }
});

Deno.test("RoutingTable.match() compares paths element by element, Exact first, then the longest", () => {
  const table = new RoutingTable({
    rules: rules(
      "a.test /aaa",
      "a.test /aaa/bbb",
      "a.test /aaa/bbb/ccc/ddd",
      "a.test Exact /aaa/bbb/",
      "a.test Exact /aaa/e",
      "a.test ImplementationSpecific /impl",
    ),
  });
  const cases: [path: string, expected: string | undefined][] = [
    ["/aaa", "a.test /aaa"],
    ["/aaa/", "a.test /aaa"],
    ["/aaa/x/y/z", "a.test /aaa"],
    ["/aaa/bb", "a.test /aaa"],
    ["/aaa/bbbb", "a.test /aaa"],
    ["/aaa/bbb", "a.test /aaa/bbb"],
    ["/aaa/bbb/", "a.test Exact /aaa/bbb/"],
    ["/aaa/bbb/ccc", "a.test /aaa/bbb"],
    ["/aaa/bbb/ccc/ddd/eee", "a.test /aaa/bbb/ccc/ddd"],
    ["/aaa/bbb/ccc/dddd", "a.test /aaa/bbb"],
    ["/aaa/e", "a.test Exact /aaa/e"],
    ["/aaa/e/", "a.test /aaa"],
    ["/aaa//bbb", "a.test /aaa"],
    ["/aaa%2fbbb", undefined],
    ["/impl/x", "a.test ImplementationSpecific /impl"],
    ["/implx", undefined],
    ["/aa", undefined],
    ["/", undefined],
  ];
  for (const [path, expected] of cases) assertEquals(winner(table, "a.test", path), expected, path);
});

Deno.test("RoutingTable.match() tells upper from lower case in paths", () => {
  const table = new RoutingTable({ rules: rules("a.test /foo", "a.test Exact /Bar") });
  const cases: [path: string, expected: string | undefined][] = [
    ["/Foo", undefined],
    ["/foo/BAR", "a.test /foo"],
    ["/bar", undefined],
    ["/Bar", "a.test Exact /Bar"],
  ];
  for (const [path, expected] of cases) assertEquals(winner(table, "a.test", path), expected, path);
});

Deno.test("RoutingTable.match() takes Exact, then the longest of Prefix and Regex", () => {
  const table = new RoutingTable({
    rules: rules(
      "a.test /",
      "a.test Exact /foo/one",
      "a.test /foo",
      "a.test Regex /foo/[a-z]{3}",
      "a.test /foo/bar",
      "a.test Regex /f.o",
      "a.test Regex /(.*)/x/(.*)",
      "a.test Regex /[A-Z]+$",
      "a.test Regex /b.r/long",
      "a.test Regex /bar/long",
      "b.test Regex /only",
      "- Regex /every",
    ),
  });
  const cases: [host: string, path: string, expected: string | undefined][] = [
    ["a.test", "/foo/one", "a.test Exact /foo/one"],
    ["a.test", "/foo/one/", "a.test Regex /foo/[a-z]{3}"],
    ["a.test", "/FOO/ONE", "a.test Regex /foo/[a-z]{3}"],
    ["a.test", "/foo/bar", "a.test Regex /foo/[a-z]{3}"],
    ["a.test", "/foo/1", "a.test /foo"],
    ["a.test", "/FOO/1", "a.test Regex /f.o"],
    ["a.test", "/foo", "a.test Regex /[A-Z]+$"],
    ["a.test", "/quiz", "a.test Regex /[A-Z]+$"],
    ["a.test", "/quiz/", "a.test /"],
    ["a.test", "/1/x/2", "a.test Regex /(.*)/x/(.*)"],
    ["a.test", "/bar/long", "a.test Regex /bar/long"],
    ["a.test", "/bur/longer", "a.test Regex /b.r/long"],
    ["b.test", "/only/x", "b.test Regex /only"],
    ["b.test", "/", undefined],
    ["b.test", "/everything", "- Regex /every"],
  ];
  for (const [host, path, expected] of cases) assertEquals(winner(table, host, path), expected, path);
});

Deno.test("RoutingTable.match() says what the groups of a Regex took", () => {
  const table = new RoutingTable({ rules: rules("a.test /", "a.test Regex /api(/|$)(.*)(x)?") });
  const groups = (path: string) => table.match("a.test", path)?.groups();
  assertEquals(groups("/API/Users/%2f"), ["/", "Users/%2f", ""]);
  assertEquals(groups("/api"), ["", "", ""]);
  assertEquals(groups("/"), []);
});

Deno.test("RoutingTable.match() compares no Regex with a path that is too long, and lets it go nowhere else", () => {
  const table = new RoutingTable({
    rules: rules("a.test /", "a.test Regex /admin", "a.test /static/of/length", "b.test /"),
  });
  const long = "x".repeat(8192);
  for (const path of [`/admin/${long}`, `/${long}`]) {
    assertEquals(assertThrows(() => table.match("a.test", path), ProxyError).reason, "target_too_long");
  }
  assertEquals(winner(table, "a.test", `/admin/${long}`.slice(0, 8192)), "a.test Regex /admin");
  assertEquals(winner(table, "a.test", `/static/of/length/${long}`), "a.test /static/of/length");
  assertEquals(winner(table, "b.test", `/admin/${long}`), "b.test /");
});

Deno.test("RoutingTable.match() takes only so many steps for all Regex paths of a host together", () => {
  const slow = (text: string) => `Regex ${text}(?:.*a){20}!`;
  const path = (length: number) => "/".padEnd(length, "a");
  const reasonOf = (table: RoutingTable, length: number) =>
    assertThrows(() => table.match("w.a.test", path(length)), ProxyError).reason;
  const of = (...texts: string[]) => new RoutingTable({ rules: rules(...texts, "- /") });
  const [one, other, third] = [`w.a.test ${slow("/")}`, `w.a.test ${slow("/.")}`, `w.a.test ${slow("/b")}`];
  assertEquals(winner(of(one!), "w.a.test", path(2000)), "- /");
  assertEquals(winner(of(one!, third!), "w.a.test", path(2000)), "- /");
  assertEquals(reasonOf(of(one!), 4000), "target_too_long");
  assertEquals(reasonOf(of(one!, other!), 2000), "target_too_long");
  assertEquals(winner(of(one!, other!), "w.a.test", path(1000)), "- /");
  // those of another host have their own
  for (const further of ["*.a.test", "-"]) {
    assertEquals(winner(of(one!, `${further} ${slow("/")}`), "w.a.test", path(2000)), "- /");
    const several = [`${further} ${slow("/")}`, `${further} ${slow("/.")}`];
    assertEquals(reasonOf(of(one!, ...several), 2000), "target_too_long");
  }
});

Deno.test("RoutingTable keeps the first of two rules with the same host and path", () => {
  const [first, second] = rules("a.test /a", "a.test /a/");
  assertEquals(winner(new RoutingTable({ rules: [first!, second!] }), "a.test", "/a"), "a.test /a");
  assertEquals(winner(new RoutingTable({ rules: [second!, first!] }), "a.test", "/a"), "a.test /a/");
});

Deno.test("RoutingTable.match() names the backend as endpoints.json does", () => {
  const table = new RoutingTable({ rules: rules("a.test /") });
  assertEquals(table.match("a.test", "/")?.route.key, "default/a.test /:80");
});

Deno.test("RoutingTable.match() finds nothing in an empty table", () => {
  assertEquals(new RoutingTable({ rules: [] }).match("a.test", "/"), undefined);
});

Deno.test("RoutingTable.match() says what kind of host a route has", () => {
  const table = new RoutingTable({
    rules: rules("a.test /", "*.a.test /", "- /any"),
    defaultBackend: backend("default"),
  });
  const cases: [host: string, path: string, expected: [host: string | undefined, hostClass: HostClass]][] = [
    ["a.test", "/", ["a.test", "exact"]],
    ["www.a.test", "/", ["*.a.test", "wildcard"]],
    ["b.test", "/any", [undefined, "any"]],
    ["b.test", "/", [undefined, "default"]],
  ];
  for (const [host, path, expected] of cases) {
    const route = table.match(host, path)?.route;
    assertEquals([route?.host, route?.hostClass], expected, `${host}${path}`);
  }
});

Deno.test("RoutingTable.match() says how a backend is spoken to", () => {
  const cases: [options: RuleOptions | undefined, expected: EndpointProtocol][] = [
    [undefined, { name: "HTTP", verifies: false }],
    [{}, { name: "HTTP", verifies: false }],
    [{ backendProtocol: "H2C" }, { name: "H2C", verifies: false }],
    [{ backendProtocol: "HTTPS" }, { name: "HTTPS", verifies: false }],
    [
      { backendProtocol: "HTTPS", backendServerName: "b.test", backendVerify: true },
      { name: "HTTPS", serverName: "b.test", verifies: true },
    ],
  ];
  for (const [options, expected] of cases) {
    const [rule] = rules("a.test /");
    const table = new RoutingTable({ rules: [{ ...rule!, ...options !== undefined && { options } }] });
    assertEquals(table.match("a.test", "/")?.route.protocol, expected);
  }
});

Deno.test("RoutingTable.speaksGrpc() tells whether any rule for a host does", () => {
  const grpc = (...texts: string[]) =>
    rules(...texts).map((rule, index): Rule => ({
      ...rule,
      options: { backendProtocol: index % 2 ? "GRPCS" : "GRPC" },
    }));
  const cases: [rules: Rule[], host: string | undefined, expected: boolean][] = [
    [[], "a.test", false],
    [rules("a.test /"), "a.test", false],
    [[...rules("a.test /"), ...grpc("a.test /x")], "a.test", true],
    [grpc("a.test /x", "a.test /y"), "b.test", false],
    [grpc("*.test /"), "a.test", true],
    [grpc("*.test /"), "test", false],
    [grpc("- /x"), "a.test", true],
    // a client that names no host may mean any
    [grpc("a.test /"), undefined, true],
    [rules("a.test /"), undefined, false],
  ];
  for (const [list, host, expected] of cases) {
    assertEquals(
      new RoutingTable({ rules: list }).speaksGrpc(host),
      expected,
      `${JSON.stringify(list)} ${host}`,
    );
  }
});
