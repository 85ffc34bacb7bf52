import { assertEquals, assertRejects } from "@std/assert";
import type { Canary, RuleOptions } from "@pingress/config";
import { environmentOf, exchangeOf, type FakeExchange, WEB, WEB_ROUTE } from "../../tests/policies.ts";
import { ProxyError } from "../errors.ts";
import { canaryPolicy } from "./canary.ts";
import type { PolicyEnvironment } from "./policy.ts";
import { backendId } from "./session_cookie.ts";

const NEXT = { ...WEB, name: "next" };

/** The key of the backend that a request goes to. */
async function destination(
  { affinity, ...canary }: Partial<Canary> & Pick<RuleOptions, "affinity">,
  request: FakeExchange = {},
  environment: Partial<PolicyEnvironment> = {},
): Promise<string> {
  const options = { canary: { backend: NEXT, ...canary }, ...affinity && { affinity } };
  const policy = canaryPolicy(options, environmentOf(environment));
  const exchange = exchangeOf(request);
  assertEquals(await policy?.request?.(exchange), undefined);
  assertEquals({ ...exchange.destination, backend: WEB, key: WEB_ROUTE.key }, WEB_ROUTE);
  return exchange.destination.key;
}

Deno.test("canaryPolicy() is none without a canary", () => {
  assertEquals(canaryPolicy({}, environmentOf()), undefined);
});

const chances: [canary: Partial<Canary>, random: number, goes: boolean][] = [
  [{}, 0, false],
  [{ weight: 0 }, 0, false],
  [{ weight: 20 }, 0.1999, true],
  [{ weight: 20 }, 0.2, false],
  [{ weight: 100 }, 0.9999, true],
  [{ weight: 20, total: 1000 }, 0.0199, true],
  [{ weight: 20, total: 1000 }, 0.02, false],
];

for (const [canary, random, goes] of chances) {
  Deno.test(`canaryPolicy() with ${JSON.stringify(canary)} at ${random}`, async () => {
    assertEquals(
      await destination(canary, {}, { random: () => random }),
      goes ? "default/next:80" : "default/web:80",
    );
  });
}

const X = { weight: 0, header: "x-canary" };

const decisions: [canary: Partial<Canary>, lines: string, goes: boolean][] = [
  [X, "X-Canary: always\r\n", true],
  [X, "X-Canary: Always\r\n", false],
  [X, "X-Canary: always\r\nX-Canary: always\r\n", false],
  [{ ...X, weight: 100 }, "X-Canary: never\r\n", false],
  [{ ...X, weight: 100 }, "X-Canary:\r\n", true],
  [{ ...X, headerValue: "a" }, "X-Canary: a\r\n", true],
  [{ ...X, headerValue: "a", weight: 100 }, "X-Canary: b\r\n", true],
  [{ ...X, headerPattern: "^a+$" }, "X-Canary: aaa\r\n", true],
  [{ ...X, headerPattern: "^a+$" }, `X-Canary: ${"a".repeat(5000)}\r\n`, false],
  [{ ...X, headerPattern: ".*" }, "", false],
  [{ weight: 0, cookie: "c" }, "Cookie: c=always\r\n", true],
  [{ weight: 100, cookie: "c" }, "Cookie: c=never\r\n", false],
];

for (const [canary, lines, goes] of decisions) {
  Deno.test(`canaryPolicy() with ${JSON.stringify(canary)} for ${JSON.stringify(lines.slice(0, 40))}`, async () => {
    assertEquals(await destination(canary, { lines }), goes ? "default/next:80" : "default/web:80");
  });
}

const affinity = { name: "route", attributes: {} };
const PRIMARY = `Cookie: route=key|${backendId(WEB)}\r\n`;
const BOUND = `Cookie: route=key|${backendId(NEXT)}\r\n`;

const bound: [canary: Partial<Canary>, lines: string, goes: boolean][] = [
  [{ weight: 100 }, PRIMARY, false],
  [{ ...X, weight: 100 }, `${PRIMARY}X-Canary: always\r\n`, false],
  [{ weight: 0 }, BOUND, true],
  [{ ...X, weight: 0 }, `${BOUND}X-Canary: never\r\n`, true],
  [{ weight: 100 }, "Cookie: route=key|another\r\n", true],
  [{ weight: 100 }, "Cookie: route=key\r\n", true],
  [{ weight: 0, ignoresAffinity: true }, BOUND, false],
  [{ weight: 100, ignoresAffinity: true }, PRIMARY, false],
];

for (const [canary, lines, goes] of bound) {
  Deno.test(`canaryPolicy() with affinity and ${JSON.stringify(canary)} for ${JSON.stringify(lines)}`, async () => {
    assertEquals(
      await destination({ ...canary, affinity }, { lines }),
      goes ? "default/next:80" : "default/web:80",
    );
  });
}

Deno.test("canaryPolicy() sends nobody to a canary that has no endpoint, or cannot be found", async () => {
  const lacking: PolicyEnvironment["addressesOf"][] = [
    () => [],
    () => Promise.resolve([]),
    () => {
      throw new ProxyError("upstream_unreachable", "no such name");
    },
    () => Promise.reject(new ProxyError("upstream_unreachable", "no such name")),
  ];
  for (const addressesOf of lacking) {
    assertEquals(await destination({ weight: 100 }, {}, { addressesOf }), "default/web:80");
  }
  const addressesOf = () => Promise.reject(new TypeError("a bug"));
  await assertRejects(() => destination({ weight: 100 }, {}, { addressesOf }), TypeError);
});

Deno.test("canaryPolicy() keeps what an earlier policy said of the backend but for its name", async () => {
  const policy = canaryPolicy({ canary: { backend: NEXT, weight: 100 } }, environmentOf());
  for (const name of ["HTTPS", "H2C"] as const) {
    const exchange = exchangeOf();
    exchange.destination = { ...WEB_ROUTE, protocol: { name } };
    await policy?.request?.(exchange);
    assertEquals([exchange.destination.key, exchange.destination.protocol], ["default/next:80", { name }]);
  }
});
