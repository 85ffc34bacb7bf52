import { assertEquals } from "@std/assert";
import { parseAuthority } from "../authority.ts";
import type { DownstreamRequest, HeaderList } from "../exchange.ts";
import { upstreamRequestHeaders } from "./request_headers.ts";

function filtered(headers: HeaderList, changes: Partial<DownstreamRequest> = {}): HeaderList {
  const request: DownstreamRequest = {
    method: "GET",
    scheme: "http",
    authority: "a.test",
    target: "/",
    headers,
    body: null,
    contentLength: undefined,
    clientAddress: "192.0.2.1",
    signal: new AbortController().signal,
    ...changes,
  };
  return upstreamRequestHeaders(request, parseAuthority(request.authority)!);
}

const OURS: HeaderList = [
  ["x-forwarded-for", "192.0.2.1"],
  ["x-forwarded-host", "a.test"],
  ["x-forwarded-port", "80"],
  ["x-forwarded-proto", "http"],
  ["x-real-ip", "192.0.2.1"],
];

Deno.test("upstreamRequestHeaders() puts Host first and says last who the client is", () => {
  const headers: HeaderList = [["accept", "*/*"], ["cookie", "a=1"], ["cookie", "b=2"]];
  assertEquals(filtered(headers), [["host", "a.test"], ...headers, ...OURS]);
});

Deno.test("upstreamRequestHeaders() drops what only Pingress may say", () => {
  const names = ["host", "content-length", "expect", "forwarded", "x-real-ip"];
  for (const name of [...names, ...["for", "host", "port", "proto"].map((what) => `x-forwarded-${what}`)]) {
    assertEquals(filtered([[name, "evil"], [name, "more"]]), [["host", "a.test"], ...OURS], name);
  }
});

Deno.test("upstreamRequestHeaders() drops names with an underscore", () => {
  assertEquals(filtered([["x_forwarded_for", "evil"], ["content_length", "3"]]), [
    ["host", "a.test"],
    ...OURS,
  ]);
});

Deno.test("upstreamRequestHeaders() lets Connection remove nothing that Pingress says", () => {
  const headers: HeaderList = [["connection", "x-forwarded-for, host, x-secret"], ["x-secret", "1"]];
  assertEquals(filtered(headers), [["host", "a.test"], ...OURS]);
});

Deno.test("upstreamRequestHeaders() tells scheme, authority and port as the client used them", () => {
  const cases: [Partial<DownstreamRequest>, host: string, port: string, proto: string][] = [
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
