import { assertEquals, assertThrows } from "@std/assert";
import { parseTarget, type RequestTarget, type RuleOptions } from "@pingress/config";
import { environmentOf, exchangeOf } from "../../tests/policies.ts";
import { ProxyError } from "../errors.ts";
import type { DownstreamResponse } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import type { PolicyExchange, PolicyFactory } from "./policy.ts";
import {
  forwardedPrefixPolicy,
  rewritePolicy,
  rewriteRedirectPolicy,
  upstreamHostPolicy,
} from "./rewrite.ts";

const LOCATION = FieldName.of("location");

/** A request for `target`, whose path's groups took `groups`. */
function requestFor(target: string, groups: string[] = []): PolicyExchange {
  const lines = "X-Forwarded-Prefix: /forged\r\nAccept: */*\r\n";
  return { ...exchangeOf({ target, lines, groups }), target: parseTarget(target) as RequestTarget };
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
    const exchange = requestFor(target, groups);
    assertEquals(put(exchange, rewritePolicy, { rewrite }), undefined);
    assertEquals(exchange.outgoing.target, expected);
  });
}

Deno.test("rewritePolicy() refuses what groups make of the path, where that leads out of it", () => {
  for (const groups of [["../x"], ["%2e%2e/%2e./x"], [".."]]) {
    const error = assertThrows(
      () => put(requestFor("/a", groups), rewritePolicy, { rewrite: "/$1" }),
      ProxyError,
    );
    assertEquals(error.reason, "bad_request");
  }
});

Deno.test("rewritePolicy() makes no target that is very long", () => {
  const exchange = requestFor("/a", ["x".repeat(8000)]);
  const error = assertThrows(() => put(exchange, rewritePolicy, { rewrite: "/$1$1$1$1$1" }), ProxyError);
  assertEquals(error.reason, "target_too_long");
});

Deno.test("rewriteRedirectPolicy() sends the client to a URL, with its query", () => {
  const options = { rewrite: "https://b.test/$1" };
  const answer = put(requestFor("/a/b?c=d", ["b"]), rewriteRedirectPolicy, options);
  assertEquals([answer?.status, answer?.fields.get(LOCATION)], [302, "https://b.test/b?c=d"]);
  assertEquals(put(requestFor("*"), rewriteRedirectPolicy, options), undefined);
});

Deno.test("a path is rewritten by one policy, and a URL made by the other one", () => {
  for (const [rewrite, isUrl] of [["/a", false], ["HTTP://b.test", true]] as const) {
    assertEquals(rewritePolicy({ rewrite }) === undefined, isUrl);
    assertEquals(rewriteRedirectPolicy({ rewrite }) === undefined, !isUrl);
  }
});

Deno.test("forwardedPrefixPolicy() replaces what the client says", () => {
  const exchange = requestFor("/a/b", ["/b"]);
  put(exchange, forwardedPrefixPolicy, { forwardedPrefix: "/a$1" });
  assertEquals(exchange.outgoing.fields.list(), [["accept", "*/*"], ["x-forwarded-prefix", "/a/b"]]);
});

Deno.test("forwardedPrefixPolicy() tells nothing that is very long", () => {
  const exchange = requestFor("/a/b", ["b".repeat(8000)]);
  const put5 = () => put(exchange, forwardedPrefixPolicy, { forwardedPrefix: "/$1$1$1$1$1" });
  assertEquals(assertThrows(put5, ProxyError).reason, "target_too_long");
});

Deno.test("upstreamHostPolicy() calls the backend by another host", () => {
  const exchange = requestFor("/");
  put(exchange, upstreamHostPolicy, { upstreamHost: "b.test:81" });
  assertEquals(exchange.outgoing.authority, "b.test:81");
});

Deno.test("policies of paths are there only where they are asked for", () => {
  for (const make of [rewritePolicy, rewriteRedirectPolicy, forwardedPrefixPolicy, upstreamHostPolicy]) {
    assertEquals(make({}), undefined);
  }
});
