import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, formatAddress, serviceKey } from "@pingress/config";
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
  return {
    backend,
    key: serviceKey(backend),
    protocol: { name: "HTTP" },
    host: undefined,
    hostClass: "any",
  };
}

const FILE = {
  "default/listed:80": ["10.0.0.1:8080", "[fd00::1]:8080"],
  "default/empty:80": [],
  "default/named:http": ["10.0.0.2:80"],
  "default/external:80": ["a.example.com:8080", "b.example.com:81"],
  "default/gone:80": ["missing.example.com:80"],
  "default/all-gone:80": ["missing-1.test:80", "missing-2.test:80"],
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

Deno.test("Endpoints.of() looks up all names among a backend's addresses", async () => {
  const { asked, resolver: finds } = resolver();
  const found = await new Endpoints(FILE, finds).of(route("external", 80));
  assertEquals(asked, ["a.example.com", "b.example.com"]);
  assertEquals([...found], [
    { hostname: "10.1.0.1", port: 8080 },
    { hostname: "fd01::1", port: 8080 },
    { hostname: "10.1.0.2", port: 81 },
    { hostname: "fd01::2", port: 81 },
  ]);
});

Deno.test("Endpoints.of() uses the names that resolve, whichever do not", async () => {
  const cases: [list: string[], expected: string[]][] = [
    [["missing.test:80", "b.test:81"], ["10.1.0.2:81", "[fd01::2]:81"]],
    [["a.test:80", "missing.test:81"], ["10.1.0.1:80", "[fd01::1]:80"]],
    [["missing-1.test:80", "a.test:81", "missing-2.test:80"], ["10.1.0.2:81", "[fd01::2]:81"]],
  ];
  for (const [list, expected] of cases) {
    const endpoints = new Endpoints({ "default/one:80": list }, resolver().resolver);
    for (const time of ["first", "second"]) {
      assertEquals([...await endpoints.of(route("one", 80))].map(formatAddress), expected, `${list} ${time}`);
    }
  }
});

Deno.test("Endpoints.of() waits for no name while it knows another address", async () => {
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const lookup = (hostname: string) => hostname === "slow.test" ? promise : Promise.resolve(["10.1.0.1"]);
  const finds = new Resolver({ lookup });
  const endpoints = new Endpoints({
    "default/mixed:80": ["10.0.0.3:80", "slow.test:81"],
    "default/quick:80": ["quick.test:80"],
    "default/both:80": ["slow.test:81", "quick.test:80"],
  }, finds);
  const now = (name: string) => {
    const found = endpoints.of(route(name, 80));
    assert(!(found instanceof Promise), name);
    return found.map(formatAddress);
  };
  assertEquals(now("mixed"), ["10.0.0.3:80"]);
  await endpoints.of(route("quick", 80));
  assertEquals(now("both"), ["10.1.0.1:80"]);
  resolve(["10.1.0.2"]);
  await finds.resolve("slow.test");
  assertEquals(now("mixed"), ["10.0.0.3:80", "10.1.0.2:81"]);
  assertEquals(now("both"), ["10.1.0.2:81", "10.1.0.1:80"]);
});

Deno.test("Endpoints.of() says why none of a backend's names has an address", async () => {
  const endpoints = new Endpoints(FILE, resolver().resolver);
  const cases: [name: string, message: string][] = [
    ["gone", "missing.example.com: ENOTFOUND"],
    ["all-gone", "missing-1.test: ENOTFOUND; missing-2.test: ENOTFOUND"],
    ["missing", "missing.default: ENOTFOUND"],
  ];
  for (const [name, message] of cases) {
    const error = await assertRejects(async () => await endpoints.of(route(name, 80)), ProxyError);
    assertEquals([error.reason, error.message], ["upstream_unreachable", message]);
  }
});

Deno.test("Endpoints.of() refuses this machine where a name leads there, not where it is listed", async () => {
  const file = {
    "default/listed:80": ["127.0.0.1:8080"],
    "default/both:80": ["127.0.0.1:8080", "evil.test:81"],
    "default/named:80": ["evil.test:81"],
    "default/spelled:80": ["0x7f.1:81"],
  };
  const endpoints = new Endpoints(file, new Resolver({ lookup: () => Promise.resolve(["127.0.0.1"]) }));
  for (const name of ["listed", "both", "both"]) {
    assertEquals([...await endpoints.of(route(name, 80))], [{ hostname: "127.0.0.1", port: 8080 }], name);
  }
  for (const name of ["named", "spelled", "unlisted"]) {
    await assertRejects(async () => await endpoints.of(route(name, 80)), ProxyError, "leads to 127.0.0.1");
  }
});
