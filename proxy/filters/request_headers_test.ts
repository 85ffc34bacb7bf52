import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { parseAuthority } from "../authority.ts";
import type { HeaderList } from "../exchange.ts";
import { IpRanges } from "../ip_ranges.ts";
import { type Origin, originOf } from "./origin.ts";
import { requestIdOf, upstreamRequestHeaders } from "./request_headers.ts";

/** What differs from a request for a.test over HTTP. */
interface Changes {
  scheme?: "http" | "https";
  authority?: string;
  sendsForwarded?: boolean;
  origin?: Partial<Origin>;
}

function filtered(headers: HeaderList, changes: Changes = {}): HeaderList {
  const { scheme = "http", authority = "a.test", sendsForwarded = false } = changes;
  const client = { address: "192.0.2.1", scheme, covers: () => true };
  const origin = originOf({ client, headers, authority }, parseAuthority(authority)!, new IpRanges([]));
  return upstreamRequestHeaders({ authority, headers }, {
    origin: { ...origin, ...changes.origin },
    requestId: "id",
    sendsForwarded,
  });
}

const OURS: HeaderList = [
  ["x-forwarded-for", "192.0.2.1"],
  ["x-forwarded-host", "a.test"],
  ["x-forwarded-port", "80"],
  ["x-forwarded-proto", "http"],
  ["x-real-ip", "192.0.2.1"],
  ["x-request-id", "id"],
];

Deno.test("upstreamRequestHeaders() puts Host first and says last who the client is", () => {
  const headers: HeaderList = [["accept", "*/*"], ["cookie", "a=1"], ["cookie", "b=2"]];
  assertEquals(filtered(headers), [["host", "a.test"], ...headers, ...OURS]);
});

Deno.test("upstreamRequestHeaders() drops what only Pingress may say", () => {
  const names = [
    "host",
    "content-length",
    "expect",
    "forwarded",
    "http2-settings",
    "x-real-ip",
    "x-request-id",
  ];
  for (const name of [...names, ...["for", "host", "port", "proto"].map((what) => `x-forwarded-${what}`)]) {
    for (const sendsForwarded of [false, true]) {
      const [host, ...rest] = filtered([[name, "evil"], [name, "more"]], { sendsForwarded });
      assertEquals([host, ...rest.slice(0, OURS.length)], [["host", "a.test"], ...OURS], name);
      assertEquals(rest.length - OURS.length, sendsForwarded ? 1 : 0, name);
    }
  }
});

Deno.test("upstreamRequestHeaders() drops names with an underscore", () => {
  assertEquals(filtered([["x_forwarded_for", "evil"], ["content_length", "3"], ["_", "1"], ["a_", "2"]]), [
    ["host", "a.test"],
    ...OURS,
  ]);
});

Deno.test("upstreamRequestHeaders() drops the fields of the client's connection", () => {
  const headers: HeaderList = [["te", "trailers"], ["upgrade", "websocket"], ["connection", "upgrade"]];
  assertEquals(filtered(headers), [["host", "a.test"], ...OURS]);
});

Deno.test("upstreamRequestHeaders() lets Connection remove nothing that Pingress says", () => {
  const headers: HeaderList = [["connection", "x-forwarded-for, host, x-secret"], ["x-secret", "1"]];
  assertEquals(filtered(headers), [["host", "a.test"], ...OURS]);
});

Deno.test("upstreamRequestHeaders() tells scheme, authority and port as the client used them", () => {
  const cases: [Changes, host: string, port: string, proto: string][] = [
    [{ scheme: "https" }, "a.test", "443", "https"],
    [{ scheme: "https", authority: "A.test:8443" }, "A.test:8443", "8443", "https"],
    [{ authority: "a.test:8080" }, "a.test:8080", "8080", "http"],
  ];
  for (const [changes, host, port, proto] of cases) {
    const headers = new Headers(filtered([], changes));
    assertEquals(
      ["host", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"].map((name) => headers.get(name)),
      [host, host, port, proto],
    );
  }
});

Deno.test("upstreamRequestHeaders() tells all that is known of the origin", () => {
  const origin: Origin = {
    address: "198.51.100.7",
    chain: "198.51.100.7, 10.0.0.1",
    scheme: "https",
    host: "public.test:8443",
    port: 8443,
  };
  assertEquals(filtered([], { origin }), [
    ["host", "a.test"],
    ["x-forwarded-for", "198.51.100.7, 10.0.0.1"],
    ["x-forwarded-host", "public.test:8443"],
    ["x-forwarded-port", "8443"],
    ["x-forwarded-proto", "https"],
    ["x-real-ip", "198.51.100.7"],
    ["x-request-id", "id"],
  ]);
});

Deno.test("upstreamRequestHeaders() sends Forwarded when it is told to", () => {
  const cases: [Partial<Origin>, string][] = [
    [{}, 'for=192.0.2.1;host="a.test";proto=http'],
    [{ address: "2001:db8::1", scheme: "https" }, 'for="[2001:db8::1]";host="a.test";proto=https'],
    [{ host: "[fd00::1]:80" }, 'for=192.0.2.1;host="[fd00::1]:80";proto=http'],
  ];
  for (const [origin, expected] of cases) {
    assertEquals(filtered([], { origin, sendsForwarded: true }).at(-1), ["forwarded", expected]);
  }
});

Deno.test("requestIdOf() takes the client's, where it can be written everywhere", () => {
  const valid = ["a", "0f3c-9", "A_b.c:d/e+f=g@h", "x".repeat(128)];
  for (const id of valid) assertEquals(requestIdOf([["a", "b"], ["x-request-id", id]]), id);
  assertEquals(requestIdOf([["x-request-id", "bad id"], ["x-request-id", "good"]]), "good");
  assertEquals(requestIdOf([["x-request-id", "first"], ["x-request-id", "second"]]), "first");
});

Deno.test("requestIdOf() makes a new one where there is none that is good", () => {
  const invalid = ["", " ", "a b", 'a"b', "a\tb", "a,b", "a;b", "a\\b", "{}", "é", "x".repeat(129), "a\n"];
  const cases: HeaderList[] = [
    [],
    [["x-request", "a"]],
    ...invalid.map((id): HeaderList => [["x-request-id", id]]),
  ];
  const ids = new Set<string>();
  for (const headers of cases) {
    const id = requestIdOf(headers);
    assertMatch(id, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, JSON.stringify(headers));
    ids.add(id);
  }
  assertEquals(ids.size, cases.length);
  assertNotEquals(requestIdOf([]), requestIdOf([]));
});
