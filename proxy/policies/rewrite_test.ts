import { assertEquals, assertThrows } from "@std/assert";
import { parseTarget, type RequestTarget, type RuleOptions } from "@pingress/config";
import { environmentOf } from "../../tests/policies.ts";
import { fieldsOf } from "../../tests/testing.ts";
import { ProxyError } from "../errors.ts";
import type { DownstreamResponse } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import type { PolicyExchange, PolicyFactory } from "./policy.ts";
import { forwardedPrefixPolicy, rewritePolicy, upstreamHostPolicy } from "./rewrite.ts";

const LOCATION = FieldName.of("location");

/** A request for `target`, whose path's groups took `groups`. */
function exchangeOf(target: string, groups: string[] = []): PolicyExchange {
  const parsed = parseTarget(target) as RequestTarget;
  return {
    target: parsed,
    groups,
    outgoing: {
      target: parsed.forwarded,
      authority: "a.test",
      fields: fieldsOf("X-Forwarded-Prefix: /forged\r\nAccept: */*\r\n"),
    },
  } as unknown as PolicyExchange;
}

/** Puts a request through the one policy that the options ask for. */
function put(
  exchange: PolicyExchange,
  make: PolicyFactory,
  options: RuleOptions,
): DownstreamResponse | undefined {
  const policy = make(options, environmentOf());
  return policy?.request?.(exchange) as DownstreamResponse | undefined;
}

const REWRITES: [rewrite: string, target: string, groups: string[], expected: string][] = [
  ["/", "/app/x?a=1", [], "/?a=1"],
  ["/$2", "/api/users?a=/$1", ["/", "users"], "/users?a=/$1"],
  ["/$2", "/api", ["", ""], "/"],
  ["/$3x$1", "/a", ["b"], "/xb"],
  ["/$10", "/a", ["b"], "/b0"],
  ["/$1", "/a", ["a%2Fb%20c"], "/a%2Fb%20c"],
  ["/$1", "/a", ["$2", "x"], "/$2"],
  ["$1", "/a", ["b"], "/b"],
  ["$1", "/a", [], "/"],
  ["/b/$1", "/a", ["x/../y"], "/b/y"],
  ["/b/$1", "/a", ["..%2fy"], "/b/..%2fy"],
  ["/b/$1", "*", [], "*"],
];

for (const [rewrite, target, groups, expected] of REWRITES) {
  Deno.test(`rewritePolicy() ${rewrite} of ${target} with ${groups.join(", ") || "no groups"}`, () => {
    const exchange = exchangeOf(target, groups);
    assertEquals(put(exchange, rewritePolicy, { rewrite }), undefined);
    assertEquals(exchange.outgoing.target, expected);
  });
}

Deno.test("rewritePolicy() refuses what groups make of the path, where that leads out of it", () => {
  for (const groups of [["../x"], ["%2e%2e/%2e./x"], [".."]]) {
    const error = assertThrows(
      () => put(exchangeOf("/a", groups), rewritePolicy, { rewrite: "/$1" }),
      ProxyError,
    );
    assertEquals(error.reason, "bad_request");
  }
});

Deno.test("rewritePolicy() makes no target that is very long", () => {
  const exchange = exchangeOf("/a", ["x".repeat(8000)]);
  const error = assertThrows(() => put(exchange, rewritePolicy, { rewrite: "/$1$1$1$1$1" }), ProxyError);
  assertEquals(error.reason, "target_too_long");
});

Deno.test("rewritePolicy() sends the client to a URL, with its query", () => {
  const answer = put(exchangeOf("/a/b?c=d", ["b"]), rewritePolicy, { rewrite: "https://b.test/$1" });
  assertEquals([answer?.status, answer?.fields.get(LOCATION)], [302, "https://b.test/b?c=d"]);
});

Deno.test("forwardedPrefixPolicy() replaces what the client says", () => {
  const exchange = exchangeOf("/a/b", ["/b"]);
  put(exchange, forwardedPrefixPolicy, { forwardedPrefix: "/a$1" });
  assertEquals(exchange.outgoing.fields.list(), [["accept", "*/*"], ["x-forwarded-prefix", "/a/b"]]);
});

Deno.test("upstreamHostPolicy() calls the backend by another host", () => {
  const exchange = exchangeOf("/");
  put(exchange, upstreamHostPolicy, { upstreamHost: "b.test:81" });
  assertEquals(exchange.outgoing.authority, "b.test:81");
});

Deno.test("policies of paths are there only where they are asked for", () => {
  for (const make of [rewritePolicy, forwardedPrefixPolicy, upstreamHostPolicy]) {
    assertEquals(make({}), undefined);
  }
});
