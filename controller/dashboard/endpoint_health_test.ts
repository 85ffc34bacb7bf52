import { assertEquals } from "@std/assert";
import { EndpointHealth, NOTHING_KNOWN, type PassedOver, readPassedOver } from "./endpoint_health.ts";
import { parseExposition } from "./exposition.ts";

const NAMES = new Set(["pingress_upstream_endpoint_passed_over", "pingress_upstream_passed_over_endpoints"]);

/** What a proxy says with so many endpoints in all, of which it names some. */
function said(count: number | string, ...lines: string[]): PassedOver | undefined {
  const text = lines.map((line) => `pingress_upstream_endpoint_passed_over${line}\n`).join("");
  return readPassedOver(
    parseExposition(`${text}pingress_upstream_passed_over_endpoints ${count}\n`, NAMES),
  );
}

function passedOver(...addresses: string[]): PassedOver {
  return { addresses: new Set(addresses), hasMore: false };
}

Deno.test("readPassedOver() reads which endpoints a proxy passes over, and whether there are more", () => {
  const one = '{address="10.0.0.1:80"} 1';
  const other = '{address="[fd00::1]:80"} 4';
  const both = new Set(["10.0.0.1:80", "[fd00::1]:80"]);
  const cases: [said: PassedOver | undefined, expected: PassedOver][] = [
    [said(0), { addresses: new Set(), hasMore: false }],
    [said(2, one, other), { addresses: both, hasMore: false }],
    [said(3, one, other), { addresses: both, hasMore: true }],
    // what makes no sense hides something
    [said("NaN"), { addresses: new Set(), hasMore: true }],
    [said("+Inf", one, other), { addresses: both, hasMore: true }],
    [said(1, `{address="${"1".repeat(65)}"} 1`), { addresses: new Set(), hasMore: true }],
    [said(1, '{address="10.0.0.1:80"} 0'), { addresses: new Set(), hasMore: true }],
  ];
  for (const [actual, expected] of cases) assertEquals(actual, expected);
});

Deno.test("readPassedOver() knows nothing of a proxy that says nothing of endpoints", () => {
  assertEquals(readPassedOver([]), undefined);
  assertEquals(
    readPassedOver(parseExposition("pingress_workers 1\n", new Set(["pingress_workers"]))),
    undefined,
  );
});

Deno.test("EndpointHealth counts the proxies that pass over an endpoint", () => {
  const health = new EndpointHealth([
    passedOver("10.0.0.1:80", "[fd00::1]:80"),
    passedOver("10.0.0.1:80"),
    passedOver(),
  ]);
  assertEquals(health.proxies, 3);
  const addresses = [
    "10.0.0.3:80",
    "[fd00::1]:80",
    "[fd00::2]:80",
    "10.0.0.1:80",
    "10.0.0.1:8080",
    "a.test:80",
  ];
  assertEquals(addresses.map((address) => health.passedOverBy(address)), [0, 1, 0, 2, 0, undefined]);
  assertEquals(health.count(addresses), { total: 6, passedOver: 2, unknown: 1 });
  assertEquals(health.count([]), { total: 0, passedOver: 0, unknown: 0 });
  assertEquals(health.views(addresses), [
    { address: "10.0.0.1:80", passedOver: 2 },
    { address: "[fd00::1]:80", passedOver: 1 },
    { address: "10.0.0.3:80", passedOver: 0 },
    { address: "[fd00::2]:80", passedOver: 0 },
    { address: "10.0.0.1:8080", passedOver: 0 },
    { address: "a.test:80" },
  ]);
});

Deno.test("EndpointHealth knows nothing of endpoints that nobody has named, unless all that are passed over are", () => {
  const partial = new EndpointHealth([
    passedOver(),
    { addresses: new Set(["10.0.0.1:80"]), hasMore: true },
  ]);
  assertEquals([partial.passedOverBy("10.0.0.1:80"), partial.passedOverBy("10.0.0.2:80")], [1, undefined]);
  assertEquals(partial.count(["10.0.0.1:80", "10.0.0.2:80"]), { total: 2, passedOver: 1, unknown: 1 });
  assertEquals([NOTHING_KNOWN.proxies, NOTHING_KNOWN.passedOverBy("10.0.0.1:80")], [0, undefined]);
});
