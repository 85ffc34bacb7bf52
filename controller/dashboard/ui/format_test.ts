import { assertEquals } from "@std/assert";
import {
  endpointsState,
  endpointState,
  expiry,
  formatCount,
  formatDuration,
  formatLatency,
  formatRate,
  formatRelative,
  formatShare,
  plural,
  shortRevision,
} from "./format.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

Deno.test("numbers are as long as they say something", () => {
  const cases: [text: string, expected: string][] = [
    [formatCount(10_000), "10,000"],
    [formatCount(undefined), "–"],
    [formatRate(0), "0"],
    [formatRate(0.418), "0.42"],
    [formatRate(12.34), "12.3"],
    [formatRate(1203.7), "1,204"],
    [formatShare(0), "0 %"],
    [formatShare(0.00002), "< 0.01 %"],
    [formatShare(0.00021), "0.02 %"],
    [formatShare(0.0333), "3.3 %"],
    [formatShare(1), "100 %"],
    [formatLatency(0.42), "0.4 ms"],
    [formatLatency(38.4), "38 ms"],
    [formatLatency(1240), "1.2 s"],
    [formatLatency(undefined), "–"],
    [plural(1, "route"), "1 route"],
    [plural(2000, "Ingress", "Ingresses"), "2,000 Ingresses"],
    [shortRevision("61def80662b5"), "61def806"],
    [shortRevision(undefined), "–"],
  ];
  for (const [text, expected] of cases) assertEquals(text, expected);
});

Deno.test("formatDuration() takes the largest unit", () => {
  const cases: [milliseconds: number, expected: string][] = [
    [999, "now"],
    [1000, "1 s"],
    [59_999, "59 s"],
    [MINUTE, "1 min"],
    [60 * MINUTE, "1 h"],
    [DAY, "1 day"],
    [400 * DAY, "400 days"],
  ];
  for (const [milliseconds, expected] of cases) assertEquals(formatDuration(milliseconds), expected);
});

Deno.test("formatRelative() tells before from after", () => {
  assertEquals(formatRelative(0, 12_000), "12 s ago");
  assertEquals(formatRelative(3 * DAY, 0), "in 3 days");
  assertEquals(formatRelative(100, 0), "now");
});

Deno.test("expiry() has a word for how long a certificate is still good", () => {
  const cases: [days: number, tone: string, word: string][] = [
    [-1, "error", "Expired"],
    [0, "error", "Expired"],
    [7, "error", "Ends this week"],
    [30, "warning", "Ends soon"],
    [31, "ok", "Valid"],
  ];
  for (const [days, tone, word] of cases) assertEquals(expiry(days * DAY, 0), { tone, word }, `${days}`);
});

Deno.test("endpointsState() says how many endpoints cannot be reached, and claims of none that it can", () => {
  const cases: [total: number, passedOver: number, unknown: number, tone: string, word: string][] = [
    [0, 0, 0, "error", "No endpoints"],
    [1, 0, 0, "ok", "1 endpoint"],
    [3, 0, 3, "none", "3 endpoints"],
    [3, 0, 1, "ok", "3 endpoints"],
    [3, 1, 2, "warning", "1 of 3 passed over"],
    [1, 1, 0, "error", "Passed over"],
    [2, 2, 0, "error", "Both passed over"],
    [1200, 1200, 0, "error", "All 1,200 passed over"],
  ];
  for (const [total, passedOver, unknown, tone, word] of cases) {
    assertEquals(endpointsState({ total, passedOver, unknown }), { tone, word });
  }
});

Deno.test("endpointState() says how many proxies pass an endpoint over", () => {
  const cases: [passedOver: number | undefined, proxies: number, tone: string, word: string][] = [
    [undefined, 0, "none", "unknown"],
    [undefined, 3, "none", "unknown"],
    [0, 3, "ok", "not known to be down"],
    [2, 3, "warning", "passed over by 2 of 3 proxies"],
    [3, 3, "error", "passed over by all 3 proxies"],
    [1, 1, "error", "passed over by the proxy"],
  ];
  for (const [passedOver, proxies, tone, word] of cases) {
    const endpoint = { address: "10.0.0.1:80", ...passedOver !== undefined && { passedOver } };
    assertEquals(endpointState(endpoint, proxies), { tone, word });
  }
});
