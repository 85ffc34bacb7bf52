import { assertEquals } from "@std/assert";
import { eachForm } from "../../tests/testing.ts";
import { parseAuthority } from "@pingress/config";
import type { HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { IpRanges } from "../ip_ranges.ts";
import { type Origin, originOf } from "./origin.ts";

const TRUSTED = ["10.0.0.0/8", "fd00::/8"];

/** What differs from a request for a.test over HTTP from a trusted proxy. */
interface Changes {
  address?: string;
  scheme?: "http" | "https";
  authority?: string;
  trusted?: string[];
}

function origin(headers: HeaderList, changes: Changes = {}): Origin {
  const { address = "10.0.0.1", scheme = "http", authority = "a.test", trusted = TRUSTED } = changes;
  const [received, made] = eachForm(headers).map((fields) => {
    const client = { address, scheme, covers: () => true };
    return originOf({ client, fields, authority }, parseAuthority(authority)!, new IpRanges(trusted));
  });
  assertEquals(received, made);
  return received!;
}

const ALL: HeaderList = [
  ["x-forwarded-for", "198.51.100.7"],
  ["x-forwarded-host", "public.test"],
  ["x-forwarded-port", "8443"],
  ["x-forwarded-proto", "https"],
];

Deno.test("originOf() believes only the connection when it is none of a trusted proxy", () => {
  for (const trusted of [[], TRUSTED, ["192.0.2.2"]]) {
    assertEquals(origin(ALL, { address: "192.0.2.1", trusted }), {
      address: "192.0.2.1",
      chain: "192.0.2.1",
      scheme: "http",
      host: "a.test",
      port: 80,
    });
  }
});

Deno.test("originOf() knows each host that a connection asks for, and its trusted proxy's clients apart", () => {
  const client = { address: "10.0.0.1", scheme: "http", covers: () => true } as const;
  const told = (authority: string, headers: HeaderList = []) => {
    const { host, port, address } = originOf(
      { client, fields: Fields.of(headers), authority },
      parseAuthority(authority)!,
      new IpRanges(TRUSTED),
    );
    return [host, port, address];
  };
  assertEquals(told("a.test"), ["a.test", 80, "10.0.0.1"]);
  assertEquals(told("b.test:8080"), ["b.test:8080", 8080, "10.0.0.1"]);
  assertEquals(told("a.test", [["x-forwarded-for", "192.0.2.9"]]), ["a.test", 80, "192.0.2.9"]);
  assertEquals(told("a.test"), ["a.test", 80, "10.0.0.1"]);
});

Deno.test("originOf() believes what a trusted proxy says", () => {
  assertEquals(origin(ALL), {
    address: "198.51.100.7",
    chain: "198.51.100.7, 10.0.0.1",
    scheme: "https",
    host: "public.test",
    port: 8443,
  });
});

Deno.test("originOf() falls back on the connection for what a trusted proxy does not say", () => {
  assertEquals(origin([], { scheme: "https", authority: "A.test:444" }), {
    address: "10.0.0.1",
    chain: "10.0.0.1",
    scheme: "https",
    host: "A.test:444",
    port: 444,
  });
});

Deno.test("originOf() reads X-Forwarded-For from the right, past trusted proxies", () => {
  const cases: [values: string[], address: string, chain: string][] = [
    [["198.51.100.7"], "198.51.100.7", "198.51.100.7, 10.0.0.1"],
    [["198.51.100.7, 10.9.9.9"], "198.51.100.7", "198.51.100.7, 10.9.9.9, 10.0.0.1"],
    [["198.51.100.7", "10.9.9.9"], "198.51.100.7", "198.51.100.7, 10.9.9.9, 10.0.0.1"],
    // what is left of one that is not trusted may be invented
    [["evil, 198.51.100.7"], "198.51.100.7", "198.51.100.7, 10.0.0.1"],
    [["203.0.113.9, 198.51.100.7, fd00::9"], "198.51.100.7", "198.51.100.7, fd00::9, 10.0.0.1"],
    [["10.8.8.8, 198.51.100.7"], "198.51.100.7", "198.51.100.7, 10.0.0.1"],
    // all are trusted: the first one is the client
    [["10.8.8.8,10.9.9.9"], "10.8.8.8", "10.8.8.8, 10.9.9.9, 10.0.0.1"],
    // what is no address ends the list
    [["198.51.100.7, unknown, 10.9.9.9"], "10.9.9.9", "10.9.9.9, 10.0.0.1"],
    [["198.51.100.7, "], "10.0.0.1", "10.0.0.1"],
    [["_hidden"], "10.0.0.1", "10.0.0.1"],
    [[""], "10.0.0.1", "10.0.0.1"],
    [["198.51.100.7, 10.9.9.999"], "10.0.0.1", "10.0.0.1"],
    [['"198.51.100.7"'], "10.0.0.1", "10.0.0.1"],
    // some proxies add ports
    [["198.51.100.7:4711"], "198.51.100.7", "198.51.100.7, 10.0.0.1"],
    [["[2001:db8::1]:4711"], "2001:db8::1", "2001:db8::1, 10.0.0.1"],
    [["[2001:DB8::1]"], "2001:DB8::1", "2001:DB8::1, 10.0.0.1"],
    [["2001:db8::1"], "2001:db8::1", "2001:db8::1, 10.0.0.1"],
    [["[198.51.100.7]x"], "10.0.0.1", "10.0.0.1"],
    [["198.51.100.7:"], "10.0.0.1", "10.0.0.1"],
    // one form for an address that has two
    [["::ffff:198.51.100.7"], "198.51.100.7", "198.51.100.7, 10.0.0.1"],
    [["198.51.100.7, ::ffff:10.9.9.9"], "198.51.100.7", "198.51.100.7, 10.9.9.9, 10.0.0.1"],
    [[" \t198.51.100.7\t "], "198.51.100.7", "198.51.100.7, 10.0.0.1"],
  ];
  for (const [values, address, chain] of cases) {
    const headers = values.map((value): [string, string] => ["x-forwarded-for", value]);
    const found = origin(headers);
    assertEquals([found.address, found.chain], [address, chain], values.join(" | "));
  }
});

Deno.test("originOf() trusts proxies by both families", () => {
  const headers: HeaderList = [["x-forwarded-for", "198.51.100.7"]];
  assertEquals(origin(headers, { address: "fd00::1" }).chain, "198.51.100.7, fd00::1");
  assertEquals(origin(headers, { address: "fe00::1" }).chain, "fe00::1");
});

Deno.test("originOf() takes the scheme that the nearest proxy says, if it is one", () => {
  const cases: [values: string[], scheme: string, port: number][] = [
    [["https"], "https", 443],
    [["HTTPS"], "https", 443],
    [["http"], "http", 80],
    [["http, https"], "https", 443],
    [["https", "http"], "http", 80],
    [["ftp"], "http", 80],
    [["wss"], "http", 80],
    [[""], "http", 80],
    [["https,"], "http", 80],
  ];
  for (const [values, scheme, port] of cases) {
    const headers = values.map((value): [string, string] => ["x-forwarded-proto", value]);
    const found = origin(headers);
    assertEquals([found.scheme, found.port], [scheme, port], values.join(" | "));
  }
  assertEquals(origin([["x-forwarded-proto", "http"]], { scheme: "https" }).scheme, "http");
});

Deno.test("originOf() takes the host and the port that the nearest proxy says, if they are valid", () => {
  const cases: [hosts: string[], ports: string[], authority: string, host: string, port: number][] = [
    [["public.test"], [], "a.test", "public.test", 80],
    [["Public.test:8080"], [], "a.test", "Public.test:8080", 8080],
    [["evil.test, public.test"], [], "a.test", "public.test", 80],
    [["evil.test", "public.test"], [], "a.test", "public.test", 80],
    [["[fd00::1]:81"], [], "a.test", "[fd00::1]:81", 81],
    [["evil test"], [], "a.test", "a.test", 80],
    [["user@evil.test"], [], "a.test:82", "a.test:82", 82],
    [['a";proto=evil'], [], "a.test", "a.test", 80],
    [[""], [], "a.test", "a.test", 80],
    [[], ["8443"], "a.test", "a.test", 8443],
    [["public.test:8080"], ["8443"], "a.test", "public.test:8080", 8443],
    [[], ["1, 8443"], "a.test", "a.test", 8443],
    [[], ["65535"], "a.test", "a.test", 65535],
    [[], ["65536"], "a.test", "a.test", 80],
    [[], ["0"], "a.test", "a.test", 80],
    [[], ["-1"], "a.test", "a.test", 80],
    [[], ["80.5"], "a.test", "a.test", 80],
    [[], ["0x50"], "a.test:81", "a.test:81", 81],
    [[], ["8e1"], "a.test:81", "a.test:81", 81],
    [[], ["evil"], "a.test:81", "a.test:81", 81],
    [[], [""], "a.test:81", "a.test:81", 81],
  ];
  for (const [hosts, ports, authority, host, port] of cases) {
    const headers: HeaderList = [
      ...hosts.map((value): [string, string] => ["x-forwarded-host", value]),
      ...ports.map((value): [string, string] => ["x-forwarded-port", value]),
    ];
    const found = origin(headers, { authority });
    assertEquals([found.host, found.port], [host, port], JSON.stringify([hosts, ports]));
  }
});
