import { assert, assertEquals, assertThrows } from "@std/assert";
import { environmentOf, exchangeOf, WEB_ROUTE } from "../../tests/policies.ts";
import { ProxyError } from "../errors.ts";
import { backendTlsPolicy } from "./backend_tls.ts";

const OPTIONS = { backendTrust: "/keys/a.ca", backendIdentity: { cert: "/keys/a.cert", key: "/keys/a.key" } };

/** What becomes of the route with some files. */
function routesWith(
  files: Record<string, string>,
  options: Parameters<typeof backendTlsPolicy>[0] = OPTIONS,
) {
  const policy = backendTlsPolicy(options, environmentOf({ fileText: (path) => files[path] }))!;
  return () => {
    const exchange = exchangeOf();
    policy.request?.(exchange);
    return exchange.destination;
  };
}

Deno.test("backendTlsPolicy() gives connections what the files hold by now", () => {
  const files: Record<string, string> = { "/keys/a.ca": "CA", "/keys/a.cert": "C", "/keys/a.key": "K" };
  const next = routesWith(files);
  const route = next();
  const protocol = { name: "HTTP", trust: "CA", identity: { cert: "C", key: "K" } };
  assertEquals(route, { ...WEB_ROUTE, protocol } as typeof route);
  assert(next() === route, "nothing is made anew while nothing changes");
  files["/keys/a.key"] = "K2";
  assertEquals(next().protocol.identity, { cert: "C", key: "K2" });
});

Deno.test("backendTlsPolicy() is content with one of the two", () => {
  assertEquals(backendTlsPolicy({}, environmentOf()), undefined);
  const files = { "/keys/a.ca": "CA" };
  assertEquals(routesWith(files, { backendTrust: "/keys/a.ca" })().protocol, { name: "HTTP", trust: "CA" });
});

Deno.test("backendTlsPolicy() passes nothing on while a file cannot be read", () => {
  for (const missing of ["/keys/a.ca", "/keys/a.cert", "/keys/a.key"]) {
    const files: Record<string, string> = { "/keys/a.ca": "CA", "/keys/a.cert": "C", "/keys/a.key": "K" };
    delete files[missing];
    const error = assertThrows(routesWith(files), ProxyError, missing);
    assertEquals(error.reason, "closed");
  }
});
