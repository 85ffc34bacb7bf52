import { assertEquals } from "@std/assert";
import { FakeContent } from "../../tests/fakes.ts";
import { deliveryOf, mayBeRepeated, USUAL_RETRY } from "./delivery.ts";

Deno.test("deliveryOf() has nothing to say where a rule says nothing", () => {
  assertEquals(deliveryOf({ maxBodyBytes: 1, accessLog: false }), undefined);
});

Deno.test("deliveryOf() makes milliseconds of seconds", () => {
  assertEquals(deliveryOf({ connectTimeout: 1, readTimeout: 2, sendTimeout: 3 }), {
    times: { connectTimeout: 1000, responseTimeout: 2000, streamTimeout: 2000, sendTimeout: 3000 },
  });
  assertEquals(deliveryOf({ readTimeout: 2 })?.times, { responseTimeout: 2000, streamTimeout: 2000 });
});

Deno.test("deliveryOf() reads the words of nginx", () => {
  const failures = new Set(["upstream_unreachable", "upstream_busy", "upstream_invalid"] as const);
  const on = ["error", "invalid_header", "http_503", "http_404", "non_idempotent"];
  assertEquals(deliveryOf({ retry: { on, attempts: 4, seconds: 5 } }), {
    times: {},
    retry: {
      attempts: 4,
      milliseconds: 5000,
      unsent: failures,
      sent: failures,
      statuses: new Set([503, 404]),
      repeatsAll: true,
      startsOver: true,
    },
  });
});

const attempts: [on: string[], attempts: number | undefined, expected: number][] = [
  [["error"], 2, 2],
  [["error"], 0, 10],
  [["error"], undefined, 10],
  [["off"], 5, 1],
  [["error", "off"], 0, 1],
];

for (const [on, count, expected] of attempts) {
  Deno.test(`deliveryOf() lets a request be sent ${expected} times for ${on} and ${count}`, () => {
    const retry = { on, ...count !== undefined && { attempts: count } };
    const found = deliveryOf({ retry })?.retry;
    assertEquals([found?.attempts, found?.milliseconds], [expected, Infinity]);
  });
}

Deno.test("mayBeRepeated() keeps to what may be done twice, without content", () => {
  const all = { ...USUAL_RETRY, repeatsAll: true };
  for (const [method, expected] of [["GET", true], ["PUT", true], ["POST", false], ["get", false]] as const) {
    assertEquals(mayBeRepeated({ method, body: null }), expected, method);
    assertEquals(mayBeRepeated({ method, body: null }, all), true, method);
    assertEquals(mayBeRepeated({ method, body: new FakeContent() }, all), false, method);
  }
});
