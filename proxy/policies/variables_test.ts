import { assertEquals, assertThrows } from "@std/assert";
import { exchangeOf } from "../../tests/policies.ts";
import { ProxyError } from "../errors.ts";
import { compileTemplate } from "./variables.ts";

const REQUEST = {
  method: "PUT",
  target: "/a%20b?user=me&Other=1&user=you",
  scheme: "https",
  lines: "X-User: one\r\nX-User: two\r\nCookie: a=b; c=d\r\nAuthorization: Basic bWU6c2VjcmV0\r\n",
} as const;

const values: [text: string, value: string][] = [
  ["plain", "plain"],
  ["$args", "user=me&Other=1&user=you"],
  ["$is_args", "?"],
  ["$query_string", "user=me&Other=1&user=you"],
  ["$arg_user", "me"],
  ["$arg_other", "1"],
  ["$arg_none", ""],
  ["$binary_remote_addr", "192.0.2.1"],
  ["$cookie_c", "d"],
  ["$cookie_none", ""],
  ["$escaped_request_uri", "%2Fa%2520b%3Fuser%3Dme%26Other%3D1%26user%3Dyou"],
  ["$host", "site.test"],
  ["$http_host", "site.test:8080"],
  ["$http_x_user", "one, two"],
  ["$http_none", ""],
  ["$http_constructor", ""],
  ["$http_x_forwarded_for", "198.51.100.7, 192.0.2.1"],
  ["$http_x_real_ip", "192.0.2.1"],
  ["$remote_addr", "192.0.2.1"],
  ["$remote_user", "me"],
  ["$req_id", "id-1"],
  ["$request_id", "id-1"],
  ["$request_method", "PUT"],
  ["$request_uri", "/a%20b?user=me&Other=1&user=you"],
  ["$scheme", "https"],
  ["$server_name", "site.test"],
  ["$the_real_ip", "192.0.2.1"],
  ["$uri", "/a%20b"],
  ["<${host}>$scheme", "<site.test>https"],
];

for (const [text, value] of values) {
  Deno.test(`compileTemplate() fills ${text} in`, () => {
    assertEquals(compileTemplate(text)(exchangeOf(REQUEST)), value);
  });
}

Deno.test("compileTemplate() takes no user from what are no credentials", () => {
  for (const credentials of ["Basic", "Basic %%%", "Bearer bWU6c2VjcmV0", "Basic A"]) {
    const exchange = exchangeOf({ lines: `Authorization: ${credentials}\r\n` });
    assertEquals(compileTemplate("$remote_user")(exchange), "", credentials);
  }
});

Deno.test("compileTemplate() makes no text that is very long", () => {
  const exchange = exchangeOf({ target: `/?${"a".repeat(8000)}` });
  assertEquals(compileTemplate("$args$args$args$args")(exchange).length, 32_000);
  const error = assertThrows(() => compileTemplate("$args".repeat(800))(exchange), ProxyError);
  assertEquals(error.reason, "target_too_long");
});

Deno.test("compileTemplate() refuses variables that there are not", () => {
  assertThrows(() => compileTemplate("$upstream_addr"), Error, "no variable");
});
