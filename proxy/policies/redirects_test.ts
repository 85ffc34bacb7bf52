import { assertEquals } from "@std/assert";
import { exchangeOf } from "../../tests/policies.ts";
import type { DownstreamResponse } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import { hostRedirectPolicy } from "./redirects.ts";

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
