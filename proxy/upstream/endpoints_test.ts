import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, serviceKey } from "@pingress/config";
import type { Route } from "../routing_table.ts";
import { ProxyError } from "../errors.ts";
import { Endpoints } from "./endpoints.ts";
import { Resolver } from "./resolver.ts";

/** A resolver that finds two addresses for every name but one, and the names that it was asked for. */
function resolver(): { asked: string[]; resolver: Resolver } {
  const asked: string[] = [];
  const lookup = (hostname: string) => {
    asked.push(hostname);
    if (hostname.startsWith("missing")) return Promise.reject(new Error("ENOTFOUND"));
    return Promise.resolve([`10.1.0.${asked.length}`, `fd01::${asked.length}`]);
  };
  return { asked, resolver: new Resolver({ lookup }) };
}

function route(name: string, port: number | string): Route {
  const backend = { type: "Service" as const, name, namespace: "default", port };
  return { backend, key: serviceKey(backend), protocol: { name: "HTTP" }, host: undefined, hostClass: "any" };
}

const FILE = {
  "default/listed:80": ["10.0.0.1:8080", "[fd00::1]:8080"],
  "default/empty:80": [],
  "default/named:http": ["10.0.0.2:80"],
  "default/external:80": ["a.example.com:8080", "10.0.0.3:80", "b.example.com:81"],
  "default/gone:80": ["missing.example.com:80"],
};

Deno.test("Endpoints.of() lists a backend's addresses, or looks it up in DNS", async () => {
  const cases: [name: string, port: number | string, Address[], asked: string[]][] = [
    ["listed", 80, [{ hostname: "10.0.0.1", port: 8080 }, { hostname: "fd00::1", port: 8080 }], []],
    [
      "listed",
      81,
      [{ hostname: "10.1.0.1", port: 81 }, { hostname: "fd01::1", port: 81 }],
      ["listed.default"],
    ],
    ["empty", 80, [], []],
    ["named", "http", [{ hostname: "10.0.0.2", port: 80 }], []],
    ["named", "https", [], []],
    [
      "unlisted",
      80,
      [{ hostname: "10.1.0.1", port: 80 }, { hostname: "fd01::1", port: 80 }],
      ["unlisted.default"],
    ],
  ];
  for (const [name, port, expected, names] of cases) {
    const { asked, resolver: finds } = resolver();
    const endpoints = new Endpoints(FILE, finds);
    assertEquals([...await endpoints.of(route(name, port))], expected, `${name}:${port}`);
    assertEquals(asked, names, `${name}:${port}`);
  }
});

Deno.test("Endpoints.of() waits for nothing where addresses are listed", () => {
  const endpoints = new Endpoints(FILE, resolver().resolver);
  assert(!(endpoints.of(route("listed", 80)) instanceof Promise));
  assert(endpoints.of(route("listed", 80)) === endpoints.of(route("listed", 80)));
});

Deno.test("Endpoints.of() looks up the names among a backend's addresses", async () => {
  const { asked, resolver: finds } = resolver();
  const endpoints = new Endpoints(FILE, finds);
  // an IP address is looked up too: that is what it is
  const found = await endpoints.of(route("external", 80));
  assertEquals(asked.filter((name) => name.endsWith(".com")), ["a.example.com", "b.example.com"]);
  assertEquals(found.filter(({ port }) => port === 8080).length, 2);
  assertEquals(found.filter(({ port }) => port === 81).length, 2);
});

Deno.test("Endpoints.of() says that a name has no address", async () => {
  const endpoints = new Endpoints(FILE, resolver().resolver);
  for (const name of ["gone", "missing"]) {
    const error = await assertRejects(async () => await endpoints.of(route(name, 80)), ProxyError);
    assertEquals(error.reason, "upstream_unreachable");
  }
});
