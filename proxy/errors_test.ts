import { assert, assertEquals, assertMatch } from "@std/assert";
import { ERROR_HEADER, type ErrorReason, errorResponse, ProxyError } from "./errors.ts";
import { latin1 } from "../tests/testing.ts";

Deno.test("errorResponse() answers each reason with its status", () => {
  const cases: [ErrorReason, number][] = [
    ["bad_request", 400],
    ["client_gone", 499],
    ["no_route", 404],
    ["method_not_allowed", 405],
    ["client_timeout", 408],
    ["body_too_large", 413],
    ["target_too_long", 414],
    ["expectation_failed", 417],
    ["misdirected", 421],
    ["head_too_large", 431],
    ["body_not_supported", 501],
    ["coding_not_supported", 501],
    ["internal", 500],
    ["upstream_unreachable", 502],
    ["upstream_invalid", 502],
    ["no_endpoint", 503],
    ["upstream_busy", 503],
    ["upstream_timeout", 504],
    ["version_not_supported", 505],
  ];
  for (const [reason, status] of cases) {
    const response = errorResponse(reason);
    const headers = new Headers(response.fields.list());
    assert(response.body instanceof Uint8Array);
    assertEquals(response.status, status);
    assertEquals(headers.get(ERROR_HEADER), reason);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("allow") !== null, status === 405);
    assertEquals(headers.has("content-length"), false, "the one who writes it says how long it is");
    assertMatch(latin1(response.body), new RegExp(`^${status}: [a-z].*\n$`));
  }
});

Deno.test("errorResponse() says which rule a malformed request broke", () => {
  const { body } = errorResponse("bad_request", "the path leaves the root");
  assert(body instanceof Uint8Array);
  assertEquals(latin1(body), "400: the request is malformed: the path leaves the root\n");
});

Deno.test("errorResponse() is a new one each time, so that fields can be added", () => {
  errorResponse("no_route").fields.add("a", "1");
  assertEquals(errorResponse("no_route").fields.list().some(([name]) => name === "a"), false);
});

Deno.test("ProxyError has a reason for the client and a message for the log", () => {
  const cause = new Error("refused");
  const error = new ProxyError("upstream_unreachable", "10.0.0.1:80: refused", { cause });
  assertEquals([error.name, error.reason, error.message, error.cause], [
    "ProxyError",
    "upstream_unreachable",
    "10.0.0.1:80: refused",
    cause,
  ]);
});
