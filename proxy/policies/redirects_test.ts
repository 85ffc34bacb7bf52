import { assertEquals } from "@std/assert";
import { exchangeOf } from "../../tests/policies.ts";
import type { DownstreamResponse } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import { hostRedirectPolicy, redirectPolicy } from "./redirects.ts";

const LOCATION = FieldName.of("location");

const CASES: [scheme: "http" | "https", port: number, target: string, location: string][] = [
  ["http", 80, "/a/?b=c", "http://a.test/a/?b=c"],
  ["https", 443, "/", "https://a.test/"],
  ["http", 443, "/", "http://a.test:443/"],
  ["https", 8443, "//x/../y", "https://a.test:8443//x/../y"],
  ["http", 80, "*", "http://a.test"],
];

for (const [scheme, port, target, location] of CASES) {
  Deno.test(`hostRedirectPolicy() for ${target} at port ${port} over ${scheme}`, () => {
    const policy = hostRedirectPolicy({ hostRedirect: { host: "a.test", code: 308 } });
    const exchange = exchangeOf({ scheme, target });
    const answer = policy?.request?.({
      ...exchange,
      origin: { ...exchange.origin, port },
    }) as DownstreamResponse;
    assertEquals([answer.status, answer.fields.get(LOCATION)], [308, location]);
  });
}

const REDIRECTS: [to: string, location: string][] = [
  ["https://b.test/x?y=z", "https://b.test/x?y=z"],
  ["https://b.test$request_uri", "https://b.test/a/../b?c=d"],
  ["${scheme}://www.$host/$args", "http://www.site.test/c=d"],
  ["https://b.test/$http_x", "https://b.test/a%20b%C3%BC"],
];

for (const [to, location] of REDIRECTS) {
  Deno.test(`redirectPolicy() to ${to}`, () => {
    const policy = redirectPolicy({ redirect: { to, code: 307 } });
    const answer = policy?.request?.(
      exchangeOf({ target: "/a/../b?c=d", lines: "X: a b\xfc\r\n" }),
    ) as DownstreamResponse;
    assertEquals([answer.status, answer.fields.get(LOCATION)], [307, location]);
  });
}
