import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { eachForm } from "../../tests/testing.ts";
import { parseAuthority } from "@pingress/config";
import type { HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { IpRanges } from "../ip_ranges.ts";
import { type Origin, originOf } from "./origin.ts";
import { filterRequestHeaders, maxForwards, requestIdOf } from "./request_headers.ts";

/** What differs from a request for a.test over HTTP. */
interface Changes {
  scheme?: "http" | "https";
  authority?: string;
  sendsForwarded?: boolean;
  origin?: Partial<Origin>;
  maxForwards?: number;
}

/** What the backend gets beside Host, whatever form the client's fields have. */
function filtered(headers: HeaderList, changes: Changes = {}): HeaderList {
  const { scheme = "http", authority = "a.test", sendsForwarded = false } = changes;
  const client = { address: "192.0.2.1", scheme, covers: () => true };
  const [received, made] = eachForm(headers).map((fields) => {
    const origin = originOf({ client, fields, authority }, parseAuthority(authority)!, new IpRanges([]));
    filterRequestHeaders(fields, {
      origin: { ...origin, ...changes.origin },
      requestId: "id",
      sendsForwarded,
      maxForwards: changes.maxForwards,
    });
    return fields.list();
  });
  assertEquals(received, made);
  return received!;
}

const OURS: HeaderList = [
  ["x-forwarded-for", "192.0.2.1"],
  ["x-forwarded-host", "a.test"],
  ["x-forwarded-port", "80"],
  ["x-forwarded-proto", "http"],
  ["x-real-ip", "192.0.2.1"],
  ["x-request-id", "id"],
];

Deno.test("filterRequestHeaders() drops Host, which is written first, and says last who the client is", () => {
  const headers: HeaderList = [["accept", "*/*"], ["cookie", "a=1"], ["cookie", "b=2"]];
  assertEquals(filtered([["host", "a.test"], ...headers]), [...headers, ...OURS]);
});

Deno.test("filterRequestHeaders() drops what only Pingress may say", () => {
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
      const list = filtered([[name, "evil"], [name, "more"]], { sendsForwarded });
      assertEquals(list.slice(0, OURS.length), OURS, name);
      assertEquals(list.length - OURS.length, sendsForwarded ? 1 : 0, name);
    }
  }
});

Deno.test("filterRequestHeaders() drops names with an underscore", () => {
  const headers: HeaderList = [["x_forwarded_for", "evil"], ["content_length", "3"], ["_", "1"], ["a_", "2"]];
  assertEquals(filtered(headers), OURS);
});

Deno.test("filterRequestHeaders() drops the fields of the client's connection", () => {
  const headers: HeaderList = [["te", "trailers"], ["upgrade", "websocket"], ["connection", "upgrade"]];
  assertEquals(filtered(headers), OURS);
});

Deno.test("filterRequestHeaders() lets Connection remove nothing that Pingress says", () => {
  const headers: HeaderList = [["connection", "x-forwarded-for, host, x-secret"], ["x-secret", "1"]];
  assertEquals(filtered(headers), OURS);
});

Deno.test("filterRequestHeaders() tells scheme, authority and port as the client used them", () => {
  const cases: [Changes, host: string, port: string, proto: string][] = [
    [{ scheme: "https" }, "a.test", "443", "https"],
    [{ scheme: "https", authority: "A.test:8443" }, "A.test:8443", "8443", "https"],
    [{ authority: "a.test:8080" }, "a.test:8080", "8080", "http"],
  ];
  for (const [changes, host, port, proto] of cases) {
    const headers = new Headers(filtered([], changes));
    assertEquals(
      ["x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"].map((name) => headers.get(name)),
      [host, port, proto],
    );
  }
});

Deno.test("filterRequestHeaders() tells all that is known of the origin", () => {
  const origin: Origin = {
    address: "198.51.100.7",
    chain: "198.51.100.7, 10.0.0.1",
    scheme: "https",
    host: "public.test:8443",
    port: 8443,
  };
  assertEquals(filtered([], { origin }), [
    ["x-forwarded-for", "198.51.100.7, 10.0.0.1"],
    ["x-forwarded-host", "public.test:8443"],
    ["x-forwarded-port", "8443"],
    ["x-forwarded-proto", "https"],
    ["x-real-ip", "198.51.100.7"],
    ["x-request-id", "id"],
  ]);
});

Deno.test("filterRequestHeaders() sends Forwarded when it is told to", () => {
  const cases: [Partial<Origin>, string][] = [
    [{}, 'for=192.0.2.1;host="a.test";proto=http'],
    [{ address: "2001:db8::1", scheme: "https" }, 'for="[2001:db8::1]";host="a.test";proto=https'],
    [{ host: "[fd00::1]:80" }, 'for=192.0.2.1;host="[fd00::1]:80";proto=http'],
  ];
  for (const [origin, expected] of cases) {
    assertEquals(filtered([], { origin, sendsForwarded: true }).at(-1), ["forwarded", expected]);
  }
});

Deno.test("filterRequestHeaders() says how often the request may still be passed on", () => {
  const headers: HeaderList = [["max-forwards", "7"], ["a", "1"], ["max-forwards", "9"]];
  assertEquals(filtered(headers, { maxForwards: 7 }), [["a", "1"], ["max-forwards", "6"], ...OURS]);
  assertEquals(filtered(headers), [...headers, ...OURS]);
});

Deno.test("maxForwards() is the number of an OPTIONS request", () => {
  const cases: [method: string, HeaderList, expected: number | undefined][] = [
    ["OPTIONS", [["max-forwards", "0"]], 0],
    ["OPTIONS", [["a", "1"], ["max-forwards", "999999999"]], 999_999_999],
    ["OPTIONS", [["max-forwards", "1"], ["max-forwards", "2"]], 1],
    ["OPTIONS", [], undefined],
    ["GET", [["max-forwards", "0"]], undefined],
    ...["", "-1", "1.5", "x", "1, 2", "1000000000"].map((value): [string, HeaderList, undefined] => [
      "OPTIONS",
      [["max-forwards", value]],
      undefined,
    ]),
  ];
  for (const [method, headers, expected] of cases) {
    for (const fields of eachForm(headers)) {
      assertEquals(maxForwards({ method, fields }), expected, JSON.stringify(headers));
    }
  }
});

/** The ids of a request with these fields, in each form. */
function idsOf(headers: HeaderList): string[] {
  return eachForm(headers).map(requestIdOf);
}

Deno.test("requestIdOf() takes the client's, where it can be written everywhere", () => {
  const valid = ["a", "0f3c-9", "A_b.c:d/e+f=g@h", "x".repeat(128)];
  for (const id of valid) assertEquals(idsOf([["a", "b"], ["x-request-id", id]]), [id, id]);
  assertEquals(idsOf([["x-request-id", "bad id"], ["x-request-id", "good"]]), ["good", "good"]);
  assertEquals(idsOf([["x-request-id", "first"], ["x-request-id", "second"]]), ["first", "first"]);
});

Deno.test("requestIdOf() makes a new one where there is none that is good", () => {
  const invalid = ["", " ", "a b", 'a"b', "a\tb", "a,b", "a;b", "a\\b", "{}", "é", "x".repeat(129)];
  const cases: HeaderList[] = [
    [],
    [["x-request", "a"]],
    ...invalid.map((id): HeaderList => [["x-request-id", id]]),
  ];
  const ids = new Set<string>();
  for (const headers of cases) {
    for (const id of idsOf(headers)) {
      assertMatch(id, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, JSON.stringify(headers));
      ids.add(id);
    }
  }
  // this one cannot be received
  ids.add(requestIdOf(Fields.of([["x-request-id", "a\n"]])));
  assertEquals(ids.size, 2 * cases.length + 1);
  assertEquals(ids.has("a\n"), false);
  assertNotEquals(requestIdOf(Fields.of([])), requestIdOf(Fields.of([])));
});

Deno.test("filterRequestHeaders() says the same of a client for its first request and for all others", () => {
  const client = { address: "192.0.2.1", scheme: "http" as const, covers: () => true };
  const lists = [1, 2, 3, 4].map(() => {
    const fields = Fields.of([["a", "1"]]);
    const request = { client, fields, authority: "a.test" };
    const origin = originOf(request, parseAuthority("a.test")!, new IpRanges([]));
    filterRequestHeaders(fields, { origin, requestId: "id", sendsForwarded: true });
    return fields.list();
  });
  for (const list of lists) assertEquals(list, lists[0]);
});
